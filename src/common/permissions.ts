import { isBun, isNode } from './runtime.js'

/** What of Deno is used here. */
interface DenoPermissions {
  permissions?: {
    querySync?(descriptor: { name: string; path?: string; host?: string }): { state: string }
  }
}

/**
 * Whether the runtime itself has refused to let the program do something: Deno without a flag, or Node with
 * `--permission`. What the system refuses, which may be otherwise a moment later, does not count.
 */
export function isDenied(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  if (isNode) return code === 'ERR_ACCESS_DENIED' || code === 'ERR_DLOPEN_DISABLED'
  // Deno's look-up of names has only the system's code for it.
  return error.name === 'NotCapable' || (code === 'EPERM' && !mayConnectAnywhere())
}

/** The flags that let native code be loaded from the files below `folder`, without those given already. */
export function flagsForNative(folder: string): string[] {
  if (isNode) return ['--allow-addons', asWord(`--allow-fs-read=${folder}`)]
  return [
    ...(isGranted({ name: 'read', path: folder }) ? [] : [asWord(`--allow-read=${folder}`)]),
    ...(isGranted({ name: 'ffi', path: folder }) ? [] : [asWord(`--allow-ffi=${folder}`)]),
  ]
}

/** Quoted where a shell would take it for several words. */
function asWord(flag: string): string {
  return /\s/.test(flag) ? `"${flag}"` : flag
}

/** The flag that lets the program connect to `host:port` each; none if it may already. */
export function flagsForHosts(hosts: readonly string[]): string[] {
  // Before Node 25 there is no such flag, and nothing that it would permit is refused.
  if (isNode) return process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
  const refused = hosts.filter(host => !isGranted({ name: 'net', host }))
  return refused.length === 0 ? [] : [`--allow-net=${refused.join(',')}`]
}

/** Whether no host is closed to the program, as far as is known. */
export function mayConnectAnywhere(): boolean {
  return isNode || isBun || isGranted({ name: 'net' })
}

function isGranted(descriptor: { name: string; path?: string; host?: string }): boolean {
  try {
    const { permissions } = (globalThis as { Deno?: DenoPermissions }).Deno ?? {}
    return permissions?.querySync?.(descriptor).state === 'granted'
  } catch {
    return false
  }
}
