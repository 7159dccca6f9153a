/** Whether an object has a method, its own or inherited. */
export function hasMethod<Name extends string>(
  value: unknown,
  name: Name,
): value is { [_ in Name]: (...parameters: never[]) => unknown } {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function'
}
