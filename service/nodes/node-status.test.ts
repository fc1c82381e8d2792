import { LIMITS } from '@postern/protocol/limits.ts'
import { expect, test } from 'vitest'
import { nodeStatus, type StatusFacts } from './node-status.ts'

const beat = {
  channel: { address: '10.0.0.1:8050', ok: true, fault: null },
  version: '1.0.0',
  hasGatewayKey: true,
  runningQueries: 0,
  running: [],
}
const peer = { name: 'b', reachable: true, reachesUs: true, reason: '' }
const cut = { ...peer, reachable: false, reachesUs: false, reason: 'connection refused' }
const well: StatusFacts = {
  enabled: true,
  draining: false,
  link: 'raw',
  beat,
  beatAgeMs: 0,
  saidGoodbye: false,
  others: [],
  gatewayVersion: '1.0.0',
  gatewayHasKey: true,
}

const TABLE: readonly [what: string, facts: Partial<StatusFacts>, status: string, reason: RegExp | undefined][] = [
  ['all is well', {}, 'online', undefined],
  ['all is well with a peer', { others: [peer] }, 'online', undefined],
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
  ['one peer is out of reach', { others: [peer, { ...cut, name: 'c' }] }, 'limited', /does not reach node c: connection refused/],
  ['its only peer is out of reach', { others: [cut] }, 'limited', /does not reach node b/],
  ['all of several peers are out of reach', { others: [cut, { ...cut, name: 'c' }] }, 'inactive', /do not reach each other/],
  ['it runs another version', { gatewayVersion: '1.1.0' }, 'limited', /runs version 1.0.0, the gateway is at 1.1.0/],
  ['it lacks the key', { beat: { ...beat, hasGatewayKey: false } }, 'limited', /waits for the gateway's key/],
  ['nobody has the key yet', { beat: { ...beat, hasGatewayKey: false }, gatewayHasKey: false }, 'online', undefined],
]

test.each(TABLE)('when %s', (_what, facts, status, reason) => {
  const found = nodeStatus({ ...well, ...facts })

  expect(found.status).toBe(status)
  if (reason) expect(found.reasons.join('; ')).toMatch(reason)
  else expect(found.reasons).toEqual([])
})
