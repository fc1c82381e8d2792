import { LIMITS } from '@postern/protocol/limits.ts'
import { expect, test } from 'vitest'
import { nodeStatus, SETTLE_MS, type StatusFacts } from './node-status.ts'

const beat = {
  channel: { address: '10.0.0.1:8050', ok: true, fault: null },
  version: '1.0.0',
  hasGatewayKey: true,
  runningQueries: 0,
  running: [],
  channelEncryption: 'mutual',
}
const cut = { name: 'b', reachable: false, reachesUs: false, reason: 'connection refused' }
const well: StatusFacts = {
  enabled: true,
  draining: false,
  link: 'raw',
  beat,
  beatAgeMs: 0,
  saidGoodbye: false,
  othersAlive: 2,
  outOfReach: [],
  gatewayVersion: '1.0.0',
  gatewayHasKey: true,
  gatewayEncryption: 'mutual',
  settingsBehindMs: 0,
}

const TABLE: readonly [what: string, facts: Partial<StatusFacts>, status: string, reason: RegExp | undefined][] = [
  ['all is well', {}, 'online', undefined],
  ['all is well and it is alone', { othersAlive: 0 }, 'online', undefined],
  ['it never spoke', { beat: null, beatAgeMs: Number.POSITIVE_INFINITY }, 'offline', /has not been heard of yet/],
  ['it is silent', { beatAgeMs: LIMITS.silentMs + 1 }, 'offline', /silent for some seconds/],
  ['it has been silent for long', { beatAgeMs: 7_200_000 }, 'offline', /silent for 2 h/],
  ['it is just not silent', { beatAgeMs: LIMITS.silentMs }, 'online', undefined],
  ['it said goodbye', { saidGoodbye: true }, 'offline', /goodbye/],
  ['it is off and silent', { enabled: false, beatAgeMs: 60_000 }, 'offline', /silent/],
  ['it is off', { enabled: false }, 'disabled', /administrator/],
  ['it drains', { draining: true, beat: { ...beat, runningQueries: 1, running: [1, 2] } }, 'draining', /1 query, 2 tasks/],
  ['it has drained', { draining: true }, 'draining', /nothing is running/],
  ['it has no link', { link: null }, 'limited', /no link/],
  ['its channel is broken', { beat: { ...beat, channel: { address: 'x', ok: false, fault: 'EADDRINUSE' } } }, 'limited', /EADDRINUSE/],
  ['one peer is out of reach', { outOfReach: [{ ...cut, name: 'c' }] }, 'limited', /does not reach node c: connection refused/],
  ['its only peer is out of reach', { othersAlive: 1, outOfReach: [cut] }, 'limited', /does not reach node b/],
  [
    'its channel port is blocked',
    { outOfReach: [{ ...cut, reachable: true }] },
    'limited',
    /^node b does not reach it: connection refused$/,
  ],
  ['all of several peers are out of reach', { outOfReach: [cut, { ...cut, name: 'c' }] }, 'inactive', /do not reach each other/],
  ['it runs another version', { gatewayVersion: '1.1.0' }, 'limited', /runs version 1.0.0, the gateway is at 1.1.0/],
  ['it lacks the key', { beat: { ...beat, hasGatewayKey: false } }, 'limited', /waits for the gateway's key/],
  ['a credential is behind', { beat: { ...beat, staleCredentials: 1 } }, 'limited', /credentials are behind: those of 1 store /],
  ['it is being updated', { beat: { ...beat, upgrading: true }, draining: true }, 'upgrading', /being updated; drained/],
  ['its channel is encrypted otherwise', { gatewayEncryption: 'off' }, 'inactive', /encryption is mutual, that of most nodes off/],
  ['no majority agrees on encryption', { gatewayEncryption: null }, 'online', undefined],
  ['it says nothing of its encryption', { beat: { ...beat, channelEncryption: undefined } }, 'online', undefined],
  ['it has just been told other settings', { settingsBehindMs: SETTLE_MS }, 'online', undefined],
  ['it keeps old settings', { settingsBehindMs: SETTLE_MS + 1, beat: { ...beat, settingsFault: 'disk full' } }, 'inactive', /disk full/],
  ['nobody has the key yet', { beat: { ...beat, hasGatewayKey: false }, gatewayHasKey: false }, 'online', undefined],
]

test.each(TABLE)('when %s', (_what, facts, status, reason) => {
  const found = nodeStatus({ ...well, ...facts })

  expect(found.status).toBe(status)
  if (reason) expect(found.reasons.join('; ')).toMatch(reason)
  else expect(found.reasons).toEqual([])
})

/** Each fact with the values that it may take, and what each value calls for, in order of precedence. */
type Effect = readonly [change: (facts: Mutable) => void, status?: string, reason?: RegExp]
type Mutable = { -readonly [K in keyof StatusFacts]: StatusFacts[K] } & { beat: NonNullable<StatusFacts['beat']> }
const nothing: Effect = [() => undefined]
const say =
  (change: Partial<NonNullable<StatusFacts['beat']>>) =>
  (facts: Mutable): void => {
    facts.beat = { ...facts.beat, ...change }
  }
const put =
  (change: Partial<StatusFacts>) =>
  (facts: Mutable): void =>
    void Object.assign(facts, change)

const FACTS: readonly (readonly Effect[])[] = [
  [nothing, [put({ saidGoodbye: true }), 'offline', /goodbye/], [put({ beatAgeMs: 60_000 }), 'offline', /silent for 1 min/]],
  [nothing, [put({ enabled: false }), 'disabled', /administrator/]],
  [nothing, [say({ upgrading: true }), 'upgrading', /updated/]],
  [nothing, [put({ draining: true }), 'draining', /drained/]],
  [nothing, [put({ gatewayEncryption: 'off' }), 'inactive', /encryption/]],
  [nothing, [put({ settingsBehindMs: 60_000 }), 'inactive', /settings/]],
  [
    nothing,
    [put({ outOfReach: [cut, { ...cut, name: 'c' }] }), 'inactive', /do not reach each other/],
    [put({ outOfReach: [cut] }), 'limited', /does not reach node b/],
  ],
  [nothing, [put({ link: null }), 'limited', /no link/]],
  [nothing, [say({ channel: { address: 'x', ok: false, fault: 'no' } }), 'limited', /channel does not work/]],
  [nothing, [say({ version: '0.9.0' }), 'limited', /0\.9\.0/]],
  [nothing, [say({ hasGatewayKey: false }), 'limited', /gateway's key/]],
  [nothing, [say({ staleCredentials: 2 }), 'limited', /2 stores/]],
]
const PRECEDENCE = ['offline', 'disabled', 'upgrading', 'draining', 'inactive', 'limited', 'online']

test('every combination of facts has the status of its weightiest one, and the reasons of all of that weight', () => {
  let seen = 0
  for (const effects of combinations(FACTS)) {
    const facts: Mutable = { ...well, beat }
    for (const [change] of effects) change(facts)

    const found = nodeStatus(facts)

    const status = PRECEDENCE.find((one) => effects.some((effect) => effect[1] === one)) ?? 'online'
    expect(found.status, JSON.stringify(facts)).toBe(status)
    // Of an offline node one reason is enough: what it last said no longer counts.
    const wanted = effects.filter((effect) => effect[1] === status).slice(0, status === 'offline' ? 1 : effects.length)
    for (const [, , reason] of wanted) expect(found.reasons.join('; ')).toMatch(reason ?? /^/)
    expect(found.reasons.length > 0).toBe(status !== 'online')
    seen += 1
  }
  expect(seen).toBe(FACTS.reduce((product, values) => product * values.length, 1))
})

function* combinations(facts: typeof FACTS): Generator<readonly Effect[]> {
  const [first, ...rest] = facts
  if (!first) return yield []
  for (const others of combinations(rest)) for (const effect of first) yield [effect, ...others]
}
