// What the examples use of Bun and Deno, so that their use of millrace is checked without either's own types.
declare const Bun: {
  serve(options: { hostname: string; port: number; routes: Record<string, unknown> }): {
    port: number
    stop(): Promise<void>
  }
}

declare const Deno: {
  env: { get(name: string): string | undefined }
  serve(
    options: { hostname: string; port: number },
    handler: (request: Request) => Response | Promise<Response>,
  ): { shutdown(): Promise<void> }
  addSignalListener(signal: string, listener: () => void): void
  exit(): never
}
