import type { NodeFacts } from '@postern/protocol/console-api.ts'
import { expect, test } from 'vitest'
import { answeredText, nodeHealth, proxyText, untilText, updateText, versionText } from './node-health.ts'

const well: NodeFacts = {
  name: 'a',
  gateway: 'demo',
  nodeId: 'nod_0123456789abcdefghij' as NodeFacts['nodeId'],
  version: '1.0.0',
  installedVersion: '1.0.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  notice: null,
  process: { pid: 1, node: 'v24', platform: 'linux x64', data: '/d' },
  service: { url: 'http://s/', fault: null, remedy: null, heardSecondsAgo: 0.3 },
  link: { count: 1, state: 'up', transport: 'raw', since: '2026-01-01T00:00:00.000Z', reason: null },
  proxy: { setting: null, environment: null, used: '' },
  role: 'worker',
  draining: false,
  upgrading: false,
  cutOff: false,
  gatewayKeyFingerprint: 'ab',
  gatewayKeyFault: null,
  recoveryKey: true,
  storesVersion: 3,
  storesBehind: null,
  staleCredentials: 0,
  vaultFault: null,
  settingsFault: null,
  channel: { encryption: 'mutual', accepts: ['mutual'], address: 'h:1', fault: null, certificate: null },
  runningJobs: 0,
  jobLimit: 4,
  runningQueries: 0,
  peers: [],
}

test('a node that is well has nothing to say', () => {
  expect(nodeHealth(well)).toEqual({ status: 'online', reasons: [] })
})

test('what is not as it should be makes it limited, each with its reason', () => {
  const peers = [{ name: 'b' as NodeFacts['name'], online: true, channel: 'h:2', fault: 'no answer' }]
  const { status, reasons } = nodeHealth({ ...well, gatewayKeyFingerprint: null, storesBehind: { changes: 2, reason: 'no' }, peers })

  expect(status).toBe('limited')
  expect(reasons).toEqual(["It waits for the gateway's key", 'Its credentials are behind by 2: no', 'It does not reach b: no answer'])
})

test('without a link and an answer it is offline; a beat that fails while the link stands only limits it', () => {
  const service = { ...well.service, fault: 'no answer' }

  expect(nodeHealth({ ...well, service, link: { ...well.link, state: 'down', reason: 'ECONNREFUSED' } }).status).toBe('offline')
  expect(nodeHealth({ ...well, service }).status).toBe('limited')
  expect(nodeHealth({ ...well, upgrading: true }).status).toBe('upgrading')
})

test('an update that waits for a restart, and the proxy in use, are told', () => {
  expect(versionText({ ...well, installedVersion: '1.1.0' })).toBe('1.0.0; 1.1.0 is installed: restart to run it')
  expect(updateText({ ...well, installedVersion: '1.1.0' })).toBe('1.1.0 is installed: restart to run it')
  expect(updateText(well)).toBe('None waits')
  expect(proxyText(well.proxy)).toBe('None in use')
  expect(proxyText({ setting: 'http://p:1', environment: null, used: 'http://p:1' })).toBe('In use: http://p:1 (setting: http://p:1)')
})

test('when the service last answered stands still while it does', () => {
  expect([0.1, 0.9, 4.9, 5.2, 90].map((heardSecondsAgo) => answeredText({ heardSecondsAgo }))).toEqual([
    'just now',
    'just now',
    'just now',
    '5.0 s ago',
    '1 m 30 s ago',
  ])
})

test('what a certificate has left is told in hours, then in days, and when it has ended too', () => {
  const until = '2026-01-02T00:00:00.000Z'
  const at = (hours: number) => untilText(until, Date.parse(until) - hours * 3_600_000)

  expect([23.9, 1, 0.5, 72, 400, -2.5].map(at)).toEqual([
    'in 23 hours',
    'in 1 hour',
    'in less than an hour',
    'in 72 hours',
    'in 16 days',
    'ended 2 hours ago',
  ])
})
