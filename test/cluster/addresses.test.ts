import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Addresses, nameResolution } from '../../dist/cluster/addresses.js'
import { NetworkError } from '../../dist/errors/index.js'

function scripted(...answers: (readonly string[] | Error)[]) {
  const asked: string[] = []
  const lookup = async (host: string): Promise<readonly string[]> => {
    asked.push(host)
    const answer = answers[Math.min(asked.length, answers.length) - 1]
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer')
    return answer
  }
  return { asked, lookup }
}

async function take(addresses: Addresses, count: number): Promise<string[]> {
  const taken: string[] = []
  for (let i = 0; i < count; i++) taken.push(await addresses.next())
  return taken
}

describe('Addresses', () => {
  it('walks through all addresses, one per attempt, before it resolves again', async () => {
    const { asked, lookup } = scripted(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    const addresses = new Addresses('kafka', lookup)
    assert.deepEqual(await take(addresses, 3), ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    assert.equal(asked.length, 1)
    assert.equal(await addresses.next(), '10.0.0.1')
    assert.deepEqual(asked, ['kafka', 'kafka'])
  })

  it('does not begin with the address that just failed when there are others', async () => {
    const { lookup } = scripted(['10.0.0.1', '10.0.0.2'], ['10.0.0.2', '10.0.0.1'])
    const addresses = new Addresses('kafka', lookup)
    assert.deepEqual(await take(addresses, 3), ['10.0.0.1', '10.0.0.2', '10.0.0.1'])
    const single = new Addresses('kafka', scripted(['10.0.0.9']).lookup)
    assert.deepEqual(await take(single, 2), ['10.0.0.9', '10.0.0.9'])
  })

  it('resolves again after an established connection was lost', async () => {
    const { asked, lookup } = scripted(['10.0.0.1', '10.0.0.2'], ['10.0.0.7'])
    const addresses = new Addresses('kafka', lookup)
    await addresses.next()
    addresses.forget()
    assert.equal(await addresses.next(), '10.0.0.7')
    assert.equal(asked.length, 2)
  })

  it('resolves no address that is one already', async () => {
    const { asked, lookup } = scripted(new Error('must not be asked'))
    assert.equal(await new Addresses('127.0.0.1', lookup).next(), '127.0.0.1')
    assert.equal(await new Addresses('::1', lookup).next(), '::1')
    assert.equal(asked.length, 0)
  })

  it('names the host when it does not resolve, and asks again the next time', async () => {
    const { lookup } = scripted(new Error('getaddrinfo ENOTFOUND'), [], ['10.0.0.1'])
    const addresses = new Addresses('nowhere.invalid', lookup)
    await assert.rejects(addresses.next(), (error: unknown) => {
      assert.ok(error instanceof NetworkError)
      assert.match(error.message, /"nowhere\.invalid" could not be resolved: getaddrinfo ENOTFOUND/)
      return true
    })
    await assert.rejects(addresses.next(), /has no address/)
    assert.equal(await addresses.next(), '10.0.0.1')
  })
})

describe('canonical names', () => {
  const names: Record<string, string> = {
    '10.0.0.1': 'broker1.example',
    '10.0.0.2': 'liar.example',
    '::1': 'six',
  }
  const addresses: Record<string, string[]> = { 'broker1.example': ['10.0.0.9', '10.0.0.1'], six: ['::1'] }
  const options = {
    lookup: async (host: string) => addresses[host] ?? [],
    reverseLookup: async (address: string) => {
      if (names[address] === undefined) throw new Error('ENOTFOUND')
      return names[address]
    },
  }

  it('are those of addresses whose names lead back to them, and else the addresses', async () => {
    const { canonicalName } = nameResolution({ ...options, canonicalBootstrapNames: true }, false)
    const asked = ['10.0.0.1', '::1', '10.0.0.2', '10.0.0.3', 'a.name']
    const answered = await Promise.all(asked.map(address => canonicalName?.(address)))
    assert.deepEqual(answered, ['broker1.example', 'six', '10.0.0.2', '10.0.0.3', 'a.name'])
  })

  it('are not asked for unless the option says so', () => {
    assert.equal(nameResolution(options, false).canonicalName, null)
  })
})
