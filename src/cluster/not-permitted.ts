import { flagsForHosts } from '../common/permissions.js'
import { PermissionError } from '../errors/index.js'

/** The runtime does not let the program connect there. */
export function notPermitted(host: string, cause: unknown): PermissionError {
  const flags = flagsForHosts([host])[0] ?? '--allow-net'
  return new PermissionError(`This program may not connect to ${host}: run with ${flags}`, { cause })
}
