import type { Clock } from '@postern/base/clock.ts'
import { systemRandom } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TokenId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { Caller, type Principal } from '../rights/caller.ts'
import type { TokenRepository, TokenRow } from './token-repository.ts'
import { TokenService } from './token-service.ts'

/** The same interface over a map, with a switch for the database. */
class Shelf {
  readonly rows = new Map<string, TokenRow>()
  asked = 0
  away = false

  async findValid(hash: string): Promise<TokenRow | undefined> {
    this.asked += 1
    if (this.away) throw new Fault('DATABASE_UNREACHABLE')
    return this.rows.get(hash)
  }

  async add(token: Omit<TokenRow, 'createdAt' | 'owner'> & { readonly hash: string }): Promise<TokenRow> {
    const row = { ...token, owner: null, createdAt: new Date(0) }
    this.rows.set(token.hash, row)
    return row
  }

  async delete(id: TokenId): Promise<TokenRow | undefined> {
    const found = [...this.rows].find(([, row]) => row.id === id)
    if (found) this.rows.delete(found[0])
    return found?.[1]
  }
}

function setUp() {
  let now = 0
  const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() }
  const shelf = new Shelf()
  const callers = { callerFor: async (principal: Principal) => new Caller(principal), callerForOwn: async () => undefined }
  const tokens = new TokenService({ tokens: shelf as unknown as TokenRepository, callers, clock, random: systemRandom })
  const make = (expiresAt: Date | null = null) => tokens.create({ name: 'ann', role: 'user', by: 'test', expiresAt })
  return { shelf, tokens, make, pass: (ms: number) => (now += ms) }
}

test('a token is looked up once a second, and only its hash is kept', async () => {
  const { shelf, tokens, make, pass } = setUp()
  const { token } = await make()

  for (let n = 0; n < 5; n += 1) expect((await tokens.authenticate(`Bearer ${token}`)).name).toBe('ann')
  expect(shelf.asked).toBe(1)
  pass(1_001)
  await tokens.authenticate(`Bearer ${token}`)

  expect(shelf.asked).toBe(2)
  expect(JSON.stringify([...shelf.rows])).not.toContain(token)
})

test('a deleted token opens nothing at once', async () => {
  const { tokens, make } = setUp()
  const { token, row } = await make()
  await tokens.authenticate(`Bearer ${token}`)

  await tokens.delete(row.id)

  await expect(async () => tokens.authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
})

test('while the database is away, who was known goes on, until the token expires', async () => {
  const { shelf, tokens, make, pass } = setUp()
  const { token } = await make(new Date(60_000))
  await tokens.authenticate(`Bearer ${token}`)
  shelf.away = true

  pass(30_000)
  expect((await tokens.authenticate(`Bearer ${token}`)).name).toBe('ann')
  pass(31_000)

  await expect(async () => tokens.authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
})

test.each([
  [undefined, 'TOKEN_MISSING'],
  ['', 'TOKEN_MISSING'],
  ['Basic abc', 'TOKEN_MISSING'],
  ['Bearer', 'TOKEN_MISSING'],
  ['Bearer ptn_wrong', 'TOKEN_INVALID'],
])('the header %j is refused with %s', async (header, code) => {
  const { tokens } = setUp()

  await expect(async () => tokens.authenticate(header)).rejects.toMatchObject({ code })
})
