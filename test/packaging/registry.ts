// A registry on the loopback interface that has the packed package, so that each installer adds it by its name
// as users do. For any other package it sends the installer to the registry that npm is set up with.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'

export interface Registry {
  readonly url: string
  close(): Promise<void>
}

/** Old enough for installers that refuse what was published within the last days. */
const PUBLISHED = '2024-01-01T00:00:00.000Z'
const BLOCK = 512

/** package.json of a tarball (ustar). */
export function manifestOf(tarball: Uint8Array): { name: string; version: string } {
  const bytes = gunzipSync(tarball)
  for (let at = 0; bytes[at] !== 0; ) {
    const name = bytes.toString('utf8', at, bytes.indexOf(0, at))
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 136), 8)
    const from = at + BLOCK
    if (name === 'package/package.json') return JSON.parse(bytes.toString('utf8', from, from + size))
    at = from + Math.ceil(size / BLOCK) * BLOCK
  }
  throw new Error('the tarball has no package.json')
}

function configuredRegistry(): string {
  const shell = process.platform === 'win32'
  return execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', shell })
    .trim()
    .replace(/\/$/, '')
}

export async function startRegistry(path: string): Promise<Registry> {
  const upstream = configuredRegistry()
  const tarball = readFileSync(path)
  const manifest = manifestOf(tarball)
  const { name, version } = manifest
  let url = ''
  const document = () => {
    const digest = (algorithm: string) => createHash(algorithm).update(tarball)
    const dist = {
      tarball: `${url}/${name}/-/${basename(path)}`,
      shasum: digest('sha1').digest('hex'),
      integrity: `sha512-${digest('sha512').digest('base64')}`,
    }
    const time = { created: PUBLISHED, modified: PUBLISHED, [version]: PUBLISHED }
    return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } }, time }
  }
  const server = createServer((request, response) => {
    const asked = request.url ?? '/'
    if (asked === `/${name}`) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(document()))
    } else if (asked === `/${name}/-/${basename(path)}`) {
      response.setHeader('content-type', 'application/octet-stream').end(tarball)
    } else {
      response.writeHead(302, { location: `${upstream}${asked}` }).end()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
