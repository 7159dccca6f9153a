/**
 * An environment variable, undefined where it is not set. Deno without `--allow-env` refuses to read any:
 * what only changes a default must not stop a producer there.
 */
export function environmentVariable(name: string): string | undefined {
  try {
    return process.env[name]
  } catch {
    return undefined
  }
}
