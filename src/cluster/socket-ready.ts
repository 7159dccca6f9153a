/** Emitted by a socket of the application's when it may be written to; its own events come too early. */
export const SOCKET_READY = 'millrace:ready'
