// A broker that accepts every record batch and forgets it, to measure what a client costs by itself.
//
//     npm run bench -- discard-broker [--port N] [--nodes N] [--partitions N] [--topics any|NAME,…]
//                                     [--verify] [--certificates FOLDER]
//
// It is a process of its own on loopback and serves ApiVersions, Metadata, InitProducerId and Produce. Of
// Produce requests it looks at topic, partition and the 61-byte header of each batch; records are passed over
// where they lie in the socket's chunks, never copied, and the answer is sent in the same turn. With --verify
// it also checks each batch's CRC32C and that the sequences of every producer and partition have neither gaps
// nor repeats, and sums up what records that are not compressed hold. With --certificates (a folder of
// support/certificates.js) all ports serve TLS 1.3 with AES-256-GCM, what a broker on JDK 17 chooses. Every
// node is a port of this process; partition p of any topic is led by node p modulo the number of nodes.
//
// On stdout, a JSON line each: first where it listens, then what it has counted whenever a line comes in on
// stdin (`counts`, or `reset` to start again from zero), and once more when stdin ends or it is told to stop.
import { once } from 'node:events'
import { fstatSync, readFileSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { createServer as createTlsServer } from 'node:tls'
import { parseArgs } from 'node:util'
import { certificateFiles } from './support/certificates.js'
import { DiscardingCluster } from './support/discarding-cluster.js'
import { DiscardingConnection } from './support/discarding-connection.js'

const HOST = '127.0.0.1'
const READ_BYTES = 128 * 1024

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    nodes: { type: 'string', default: '1' },
    partitions: { type: 'string', default: '6' },
    topics: { type: 'string', default: 'any' },
    verify: { type: 'boolean', default: false },
    certificates: { type: 'string' },
  },
})

const cluster = new DiscardingCluster({
  partitionCount: Number(options.partitions),
  topicNames: options.topics === 'any' ? null : options.topics.split(','),
  crc32c: options.verify ? await loadCrc32c() : null,
  looksInside: options.verify,
})

async function loadCrc32c() {
  const { loadAddon } = await import('../dist/native/load.js')
  return loadAddon().crc32c
}

/**
 * `node:net` makes a Buffer for each chunk that a server's socket reads, and copies those that it did not
 * fill: a third of this broker's cost. Only sockets made by hand read into one buffer, so the accepted handle
 * is put into such a socket.
 */
function accept({ _handle: handle }) {
  const buffer = Buffer.alloc(READ_BYTES)
  const take = (bytes, filled) => {
    connection.take(filled.subarray(0, bytes))
    return true
  }
  const socket = new Socket({ handle, onread: { buffer, callback: take } })
  const connection = new DiscardingConnection(socket, cluster)
  socket.resume()
}

function acceptTls(socket) {
  cluster.cipher = `${socket.getProtocol()} ${socket.getCipher().standardName}`
  const connection = new DiscardingConnection(socket, cluster)
  socket.on('data', chunk => connection.take(chunk))
}

function tlsServer(folder) {
  const { cert, key } = certificateFiles(folder)
  const server = createTlsServer(
    {
      ...{ cert: readFileSync(cert), key: readFileSync(key), minVersion: 'TLSv1.3' },
      ...{ ciphers: 'TLS_AES_256_GCM_SHA384', noDelay: true },
    },
    acceptTls,
  )
  return server.on('tlsClientError', error => cluster.fail(`TLS: ${error.message}`))
}

async function listen(port) {
  const server =
    options.certificates === undefined
      ? createServer({ noDelay: true, pauseOnConnect: true }, accept)
      : tlsServer(options.certificates)
  server.listen(port, HOST)
  await once(server, 'listening')
  return server.address().port
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function stop() {
  process.stdout.write(`${JSON.stringify(cluster.counts())}\n`, () => process.exit(0))
}

const firstPort = Number(options.port)
for (let node = 0; node < Number(options.nodes); node++) {
  cluster.nodes.push({ host: HOST, port: await listen(firstPort === 0 ? 0 : firstPort + node) })
}
print({
  port: cluster.nodes[0].port,
  bootstrapServers: cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(','),
})

process.once('SIGINT', stop)
process.once('SIGTERM', stop)
// What is started in the background with /dev/null as its input runs until it gets a signal.
const input = fstatSync(0)
if (input.isFIFO() || input.isSocket() || process.stdin.isTTY) {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', line => {
    if (line === 'reset') cluster.reset()
    print(cluster.counts())
  })
  lines.once('close', stop)
}
