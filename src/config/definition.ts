/** The value types of Java's `ConfigDef`, by their names there. */
type OptionType = 'string' | 'int' | 'long' | 'short' | 'double' | 'boolean' | 'list' | 'password' | 'class'

/**
 * How far an option goes in this version.
 *
 * - `built`: it does what it says.
 * - `inert`: every valid value is accepted and none changes anything.
 * - `never`: it has no meaning outside the JVM or no way to be honoured; only its default is accepted.
 */
type OptionSupport = 'built' | 'inert' | 'never'

/** One row of the option table. */
export interface OptionDefinition {
  readonly type: OptionType
  /** The value where none is given; null where there is none. */
  readonly default: string | number | boolean | null | readonly string[]
  /** True where the constructor refuses to go on without a value. */
  readonly required?: true
  /** Smallest number allowed. */
  readonly min?: number
  /** Largest number allowed. */
  readonly max?: number
  /** A number allowed outside `min`–`max`. */
  readonly orElse?: number
  /** The closed set of strings allowed. */
  readonly values?: readonly string[]
  /**
   * Strings that are known where `values` does not close the set: whether the option is looked at depends on
   * other options, and where it is not it may be anything. Types allow no others.
   */
  readonly knownValues?: readonly string[]
  /** True where types allow other strings than `knownValues`, too. */
  readonly othersToo?: true
  /** True where `values` or `knownValues` match in any case. */
  readonly anyCase?: true
  /** True where an empty string is refused. */
  readonly nonEmpty?: true
  readonly importance: 'high' | 'medium' | 'low'
  readonly support: OptionSupport
  /** Why an option that is not `built` is not. */
  readonly reason?: string
  /** One line for people. Times are in milliseconds and sizes in bytes unless it says otherwise. */
  readonly doc: string
}
