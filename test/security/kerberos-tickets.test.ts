import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { AuthenticationError } from '../../dist/errors/index.js'
import { KerberosTickets, type TicketSource } from '../../dist/security/sasl/kerberos-tickets.js'
import { readTicket, ticketCacheFile } from '../../dist/security/sasl/ticket-cache.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

const HOUR_S = 3600
const nowS = () => Math.floor(Date.now() / 1000)

const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const int32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer).swap32()
const data = (text: string) => Buffer.concat([int32(text.length), Buffer.from(text)])
function principal(name: string): Buffer {
  const [components = '', realm = ''] = name.split('@')
  const parts = components.split('/')
  return Buffer.concat([int32(1), int32(parts.length), data(realm), ...parts.map(data)])
}

interface Credential {
  server: string
  startS?: number
  endS: number
}

/** A cache as MIT's library writes it, by its description (ccache file format). */
function cacheOf(owner: string, credentials: readonly Credential[], version = 4): Buffer {
  const header = version === 4 ? [int16(12), int16(1), int16(8), Buffer.alloc(8)] : []
  const all = credentials.map(({ server, startS = 0, endS }) =>
    Buffer.concat([
      ...[principal(owner), principal(server)],
      ...[int16(18), ...(version === 3 ? [int16(18)] : []), data('key of the session')],
      ...[int32(nowS() - HOUR_S), int32(startS), int32(endS), int32(0), Buffer.from([0]), int32(0)],
      ...[int32(1), int16(2), data('addr'), int32(0), data('the ticket'), data('')],
    ]),
  )
  return Buffer.concat([int16(0x500 + version), ...header, principal(owner), ...all])
}

const TGT = 'krbtgt/EXAMPLE@EXAMPLE'
const ALICE = 'alice@EXAMPLE'

let folder: string
let cacheFile: string
const before = process.env.KRB5CCNAME

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-tickets-'))
  cacheFile = join(folder, 'cache')
  process.env.KRB5CCNAME = `FILE:${cacheFile}`
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  if (before === undefined) delete process.env.KRB5CCNAME
  else process.env.KRB5CCNAME = before
})

describe('a ticket cache', () => {
  test('is read for its ticket-granting ticket, in either version', async () => {
    const [startS, endS] = [nowS() - 10, nowS() + HOUR_S]
    for (const version of [3, 4]) {
      const others = [{ server: 'kafka/h@EXAMPLE', endS: 1 }]
      writeFileSync(cacheFile, cacheOf(ALICE, [...others, { server: TGT, startS, endS }], version))
      const expected = { principal: ALICE, startsAt: startS * 1000, endsAt: endS * 1000 }
      assert.deepEqual(await readTicket(cacheFile), expected, `version ${version}`)
    }
  })

  test('without a start begins when its owner was authenticated', async () => {
    writeFileSync(cacheFile, cacheOf(ALICE, [{ server: TGT, endS: nowS() }]))
    const { startsAt = 0 } = (await readTicket(cacheFile)) ?? {}
    assert.ok(Math.abs(startsAt - (Date.now() - HOUR_S * 1000)) < 60_000, String(startsAt))
  })

  test('that is missing, of another kind, or cut off anywhere has no ticket', async () => {
    assert.equal(await readTicket(join(folder, 'none')), null)
    const whole = cacheOf(ALICE, [{ server: TGT, endS: nowS() }])
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(cacheFile, whole.subarray(0, length))
      assert.equal(await readTicket(cacheFile), null, `${length} bytes`)
    }
    writeFileSync(cacheFile, Buffer.concat([int16(0x0502), whole.subarray(2)]))
    assert.equal(await readTicket(cacheFile), null)
    // A list of four billion addresses.
    const hostile = Buffer.from(whole)
    hostile.fill(0xff, whole.length - 40)
    writeFileSync(cacheFile, hostile)
    assert.equal(await readTicket(cacheFile), null)
  })

  test('is the one that the environment names', () => {
    for (const [name, file] of [
      ['FILE:/a/b', '/a/b'],
      ['/a/b', '/a/b'],
      ['KCM:', null],
      ['DIR:/a', null],
      ['', `/tmp/krb5cc_${process.getuid?.()}`],
    ] as const) {
      process.env.KRB5CCNAME = name
      assert.equal(ticketCacheFile(), file, name)
    }
  })
})

describe('logins', () => {
  const keytab: TicketSource = { kind: 'keytab', principal: ALICE, file: '/the/keytab' }
  const rules = { minMsBeforeRelogin: 0, renewWindowFactor: 0.5, renewJitter: 0 }

  /** A `kinit` that notes its arguments, and fails while a file says so. */
  function ticketsOf(source: TicketSource, more: Partial<typeof rules> = {}) {
    const [kinitCommand, log, broken] = ['kinit', 'log', 'broken'].map(name => join(folder, name)) as [
      string,
      string,
      string,
    ]
    const script = `[ -e '${broken}' ] && { echo 'kinit: no such luck' >&2; exit 1; }`
    writeFileSync(kinitCommand, `#!/bin/sh\n${script}\necho "$*" >> '${log}'\n`)
    chmodSync(kinitCommand, 0o755)
    const logger = new RecordingLogger()
    return {
      logger,
      tickets: new KerberosTickets(source, { kinitCommand, ...rules, ...more }, logger),
      calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
      breakKinit: () => writeFileSync(broken, ''),
    }
  }
  const keep = (startS: number, endS: number, owner = ALICE) =>
    writeFileSync(cacheFile, cacheOf(owner, [{ server: TGT, startS, endS }]))

  test('are left to others where nothing asks for them', async () => {
    const { tickets, calls } = ticketsOf({ kind: 'given' })
    await tickets.ensure()
    assert.deepEqual(calls(), [])
  })

  test('with a key come first, and again when the share of the ticket’s life is over', async () => {
    const { tickets, calls } = ticketsOf(keytab)
    keep(nowS(), nowS() + HOUR_S)
    await tickets.ensure()
    await tickets.ensure()
    assert.deepEqual(calls(), [`-k -t /the/keytab ${ALICE}`])
    keep(nowS() - 2 * HOUR_S, nowS() + HOUR_S)
    await tickets.ensure()
    assert.equal(calls().length, 2)
    // What another has put there is of no use.
    keep(nowS(), nowS() + HOUR_S, 'bob@EXAMPLE')
    await tickets.ensure()
    assert.equal(calls().length, 3)
  })

  test('do not follow each other faster than the option says', async () => {
    const { tickets, calls } = ticketsOf(keytab, { minMsBeforeRelogin: 600_000 })
    for (let i = 0; i < 3; i++) await tickets.ensure()
    assert.equal(calls().length, 1)
  })

  test('of a cache are renewals of what is in it', async () => {
    const { tickets, calls } = ticketsOf({ kind: 'cache' })
    await tickets.ensure()
    keep(nowS(), nowS() + HOUR_S)
    await tickets.ensure()
    assert.deepEqual(calls(), [])
    keep(nowS() - 2 * HOUR_S, nowS() + HOUR_S)
    await tickets.ensure()
    assert.deepEqual(calls(), ['-R'])
  })

  test('that fail are warned of while the ticket lasts, and refuse the broker after that', async () => {
    const { tickets, logger, breakKinit } = ticketsOf(keytab)
    breakKinit()
    keep(nowS() - 2 * HOUR_S, nowS() + HOUR_S)
    await tickets.ensure()
    assert.match(logger.lines.map(({ message }) => message).join(), /no such luck; the ticket of alice/)
    keep(nowS() - 2 * HOUR_S, nowS() - HOUR_S)
    await assert.rejects(tickets.ensure(), (error: Error) => {
      assert.ok(error instanceof AuthenticationError)
      assert.match(error.message, /kinit -k failed: kinit: no such luck/)
      return true
    })
  })

  test('by a program that is not there say so', async () => {
    const missing = new KerberosTickets(
      keytab,
      { kinitCommand: '/none/kinit', ...rules },
      new RecordingLogger(),
    )
    await assert.rejects(missing.ensure(), /\/none\/kinit -k failed: .*ENOENT/)
  })
})
