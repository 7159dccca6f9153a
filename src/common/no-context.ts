import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { isNode } from './runtime.js'

/** Does work with its parameters in a certain asynchronous context. */
type Scope = <Parameters extends unknown[], Result>(
  work: (...parameters: Parameters) => Result,
  ...parameters: Parameters
) => Result

/**
 * A resource that carries no store of any AsyncLocalStorage. It is made when this module is loaded, which may
 * be in the midst of a request (`await import(…)`), so what it has inherited is taken off it: Node keeps that
 * in fields of the resource, the stores themselves (before Node 24) or the frame that holds them.
 */
function withoutStores(): AsyncResource {
  const resource = new AsyncResource('millrace', { requireManualDestroy: true })
  for (const key of Object.getOwnPropertySymbols(resource)) {
    if (key.description === 'kResourceStore' || key.description === 'context_frame')
      Reflect.set(resource, key, undefined)
  }
  return resource
}

function newScope(): Scope {
  // Bun and Deno tell nothing of what a resource inherits: there it is the context that loads this module.
  if (!isNode) return AsyncLocalStorage.snapshot()
  const resource = withoutStores()
  return (work, ...parameters) => resource.runInAsyncScope(work, undefined, ...parameters)
}

/**
 * Does the work in no request's asynchronous context. Sockets, timers and calls of other records' callbacks
 * begin here: else they would all run in the context of whichever request happened to be first, and keep its
 * stores alive for as long as the connection.
 */
export const inNoContext: Scope = newScope()
