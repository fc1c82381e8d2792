import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { referenceName } from '@postern/protocol/reference.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { KvServer } from '@postern/testkit/kv-server.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Environment } from '../calls/proxy.ts'
import { References } from './references.ts'
import { VaultTokenKeeper } from './vault-token-keeper.ts'

const HOUR = 3_600_000
const PATH = 'secret/data/pg'
const random = { fraction: () => 0.5, bytes: (count: number) => new Uint8Array(count) }

let clock: HandClock
let vault: KvServer
let folder: string
let keeper: VaultTokenKeeper | undefined
let lines: string[]

beforeEach(async () => {
  clock = new HandClock()
  vault = await KvServer.start({ clock })
  vault.put(PATH, { password: 'from vault' })
  folder = await mkdtemp(join(tmpdir(), 'postern-vault-token-'))
  lines = []
})
afterEach(async () => {
  await keeper?.stop()
  keeper = undefined
  await vault[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const renewals = () => vault.seen.filter((line) => line === 'POST /v1/auth/token/renew-self').length

/** Starts the keeper and waits for its first look. */
async function keep(environment: Environment): Promise<VaultTokenKeeper> {
  const log = createLog('test', 'debug', { write: (line) => void lines.push(line) })
  keeper = new VaultTokenKeeper({ environment: { VAULT_ADDR: vault.url, ...environment }, clock, random, log })
  await keeper.start()
  await rests()
  return keeper
}

/** It waits for the clock again. */
const rests = () => waitFor('the keeper rests', () => clock.sleeping === 1)

async function pass(ms: number, stepMs = 30_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    await clock.advance(Math.min(stepMs, ms - passed))
    await rests()
  }
}

async function read(environment: Environment): Promise<string> {
  const parts = { environment: { VAULT_ADDR: vault.url, ...environment }, folder, nodeName: () => 'n1', clock }
  const references = new References({ ...parts, whyOver: () => keeper?.reason })
  const sealed = { [referenceName('password')]: new Secret(`vault:${PATH}#password`) }
  const secrets = await references.resolve(sealed, {}, AbortSignal.timeout(10_000))
  return secrets['password']?.reveal() ?? ''
}

async function refusal(environment: Environment): Promise<Fault> {
  const seen = await read(environment).catch((cause: unknown) => cause)
  if (seen instanceof Fault) return seen
  throw new Error(`no fault: ${String(seen)}`)
}

const warnings = () => lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 40)

test('a periodic token lives on long past its period, and is renewed at about half of it', async () => {
  const VAULT_TOKEN = vault.token(['secret/'], { periodMs: HOUR })
  await keep({ VAULT_TOKEN })

  await pass(5 * HOUR)

  expect(await read({ VAULT_TOKEN })).toBe('from vault')
  expect(keeper?.fault).toBeUndefined()
  expect(renewals()).toBeGreaterThanOrEqual(9)
  expect(renewals()).toBeLessThanOrEqual(10)
  expect(warnings()).toEqual([])
  expect(lines.join()).not.toContain(VAULT_TOKEN)
})

test('one that is found late in its life is renewed at once', async () => {
  const VAULT_TOKEN = vault.token(['secret/'], { periodMs: HOUR, ageMs: 0.9 * HOUR })

  await keep({ VAULT_TOKEN })

  expect(renewals()).toBe(1)
})

test('one with a longest life is renewed up to it, said to end before it does, and the next query says why it failed', async () => {
  const VAULT_TOKEN = vault.token(['secret/'], { lifeMs: HOUR, longestMs: 3 * HOUR })
  await keep({ VAULT_TOKEN })

  await pass(2.9 * HOUR)
  expect(await read({ VAULT_TOKEN })).toBe('from vault')
  expect(keeper?.fault).toMatch(/ends at .* cannot be renewed any more: its longest life is reached/)
  expect(warnings()).toHaveLength(1)
  await pass(0.2 * HOUR)

  expect(keeper?.fault).toMatch(/VAULT_TOKEN for Vault has expired or was revoked.*its longest life is reached.*VAULT_TOKEN_FILE/)
  const { code, message, remedy } = await refusal({ VAULT_TOKEN })
  expect(code).toBe('VAULT_DENIED')
  expect(message).toContain('its longest life is reached')
  expect(remedy).toMatch(/VAULT_TOKEN_FILE.*AppRole/)
  expect(warnings()).toHaveLength(2)
  expect(`${lines.join()}${keeper?.fault}${message}`).not.toContain(VAULT_TOKEN)
})

test('one that is not renewable is left alone, and its end is said from the start', async () => {
  const VAULT_TOKEN = vault.token(['secret/'], { lifeMs: HOUR, renewable: false })

  await keep({ VAULT_TOKEN })

  expect(keeper?.fault).toMatch(/ends at .* it is not renewable/)
  await pass(1.1 * HOUR)
  expect((await refusal({ VAULT_TOKEN })).message).toContain('it is not renewable')
  expect(renewals()).toBe(0)
})

test('one that ends in a year is nobody’s worry yet', async () => {
  await keep({ VAULT_TOKEN: vault.token(['secret/'], { lifeMs: 365 * 24 * HOUR, renewable: false }) })

  expect(keeper?.fault).toBeUndefined()
})

test('one that does not end, and one of another policy, are nobody’s worry or said to be one', async () => {
  await keep({ VAULT_TOKEN: vault.token(['secret/']) })
  await pass(3 * HOUR)
  expect([keeper?.fault, renewals()]).toEqual([undefined, 0])
  await keeper?.stop()

  await keep({ VAULT_TOKEN: vault.token(['secret/'], { periodMs: HOUR, ownPolicyOnly: true }) })
  expect(keeper?.fault).toContain('lacks even the policy "default"')
})

test('a Vault that is away or sealed for a while is asked again, and the token lives', async () => {
  const VAULT_TOKEN = vault.token(['secret/'], { periodMs: HOUR })
  await keep({ VAULT_TOKEN })
  vault.sealed = true
  await pass(0.6 * HOUR)
  expect(keeper?.fault).toMatch(/could not be renewed yet/)
  expect(warnings()).toHaveLength(1)

  vault.sealed = false
  await pass(2 * HOUR)

  expect(keeper?.fault).toBeUndefined()
  expect(await read({ VAULT_TOKEN })).toBe('from vault')
})

test('a token in a file is renewed too, and another that an agent puts there is taken up', async () => {
  const VAULT_TOKEN_FILE = join(folder, 'token')
  await writeFile(VAULT_TOKEN_FILE, `${vault.token(['secret/'], { periodMs: HOUR })}\n`)
  await keep({ VAULT_TOKEN_FILE })
  await pass(2 * HOUR)
  expect(renewals()).toBeGreaterThan(2)

  await writeFile(VAULT_TOKEN_FILE, vault.token(['secret/'], { periodMs: HOUR }))
  await pass(2 * HOUR)

  expect(await read({ VAULT_TOKEN_FILE })).toBe('from vault')
  expect(keeper?.fault).toBeUndefined()
})

test('in a file, one that cannot be renewed is the agent’s to replace: it is a fault when it is over, until another is there', async () => {
  const VAULT_TOKEN_FILE = join(folder, 'token')
  await writeFile(VAULT_TOKEN_FILE, vault.token(['secret/'], { lifeMs: HOUR, renewable: false }))
  await keep({ VAULT_TOKEN_FILE })
  expect(keeper?.fault).toBeUndefined()

  await pass(1.1 * HOUR)
  expect(keeper?.fault).toMatch(/VAULT_TOKEN_FILE.*has expired.*it is not renewable/)
  await writeFile(VAULT_TOKEN_FILE, vault.token(['secret/'], { lifeMs: HOUR, renewable: false }))
  await pass(120_000)

  expect(keeper?.fault).toBeUndefined()
  expect(await read({ VAULT_TOKEN_FILE })).toBe('from vault')
})

test('a node without Vault, or with an AppRole, asks nothing', async () => {
  const log = createLog('test', 'silent')
  for (const environment of [{}, { VAULT_ADDR: vault.url }, { VAULT_ADDR: vault.url, VAULT_TOKEN: 'x', VAULT_ROLE_ID: 'y' }]) {
    const idle = new VaultTokenKeeper({ environment, clock, random, log })
    await idle.start()
    await idle.stop()
  }

  expect([vault.seen, clock.sleeping]).toEqual([[], 0])
})
