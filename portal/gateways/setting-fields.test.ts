import { GatewaySettings, NodeSettings } from '@postern/protocol/api/gateways.ts'
import { expect, test } from 'vitest'
import { labelsText, readLabels } from './labels.ts'
import { changesOf, GATEWAY_GROUPS, inWords, NODE_GROUPS, problemsOf, type SettingGroup, type SettingName } from './setting-fields.ts'

const fieldsOf = (groups: readonly SettingGroup[]) => groups.flatMap(({ fields }) => fields)
const namesOf = (groups: readonly SettingGroup[]) => fieldsOf(groups).map(({ name }) => name)
const FIELDS = fieldsOf(NODE_GROUPS)
const fallback = NodeSettings.parse({})

test('every setting of a gateway and of a node stands in the form, once', () => {
  expect(namesOf(GATEWAY_GROUPS).toSorted()).toEqual(Object.keys(GatewaySettings.shape).toSorted())
  expect(namesOf(NODE_GROUPS).toSorted()).toEqual(Object.keys(NodeSettings.shape).toSorted())
})

test('each says what it does, and each choice what it means', () => {
  for (const field of FIELDS) {
    expect(field.title).not.toBe(field.name)
    if (field.kind === 'choice') for (const { says } of field.choices) expect(says).not.toBe('')
  }
})

test('kinds, bounds and units come from the schemas', () => {
  const of = (name: SettingName) => FIELDS.find((field) => field.name === name)
  expect(of('policy')).toMatchObject({ kind: 'choice', standard: 'primary-first' })
  expect(of('queueTimeoutMs')).toMatchObject({ kind: 'number', min: 0, max: 600_000, unit: ' ms' })
  expect(of('jobConcurrency')).toMatchObject({ kind: 'slots', min: 1, max: 10_000, standard: 'auto' })
  expect(of('keepSqlText')).toMatchObject({ kind: 'switch', standard: false })
  expect(of('proxyUrl')).toMatchObject({ kind: 'text' })
  expect(of('labels')).toMatchObject({ kind: 'labels' })
})

test('what cannot be saved is told before it is tried', () => {
  const draft = { cpuPercent: 101, proxyUrl: 'ftp://proxy', jobConcurrency: 'auto', weight: null } as const
  expect(Object.fromEntries(problemsOf(FIELDS, draft))).toEqual({
    cpuPercent: 'A whole number from 0 to 100.',
    proxyUrl: 'http://HOST:PORT or https://HOST:PORT, or nothing.',
  })
  expect(problemsOf(FIELDS, { cpuPercent: '' as unknown as number }).has('cpuPercent')).toBe(true)
  expect(problemsOf(FIELDS, { labels: readLabels('site') }).has('labels')).toBe(true)
  expect(problemsOf(FIELDS, { labels: readLabels('') }).size).toBe(0)
})

test('only what differs is sent, and taken back is what was set here', () => {
  const own = { cpuPercent: 90, labels: { site: 'berlin' } }
  expect(changesOf({ cpuPercent: 90, queueTimeoutMs: fallback.queueTimeoutMs, weight: 3 }, { fallback, own })).toEqual({ weight: 3 })
  expect(changesOf({ cpuPercent: null, weight: null }, { fallback, own })).toEqual({ cpuPercent: null })
  expect(changesOf({ labels: { site: 'berlin' } }, { fallback, own })).toEqual({})
})

test('labels are read as they are written', () => {
  expect(readLabels(' site=berlin,disk = ssd ,')).toEqual({ site: 'berlin', disk: 'ssd' })
  expect(labelsText({ site: 'berlin', disk: 'ssd' })).toBe('site=berlin, disk=ssd')
})

test.each([
  ['sessionIdleSeconds', 28_800, '8 h'],
  ['sessionIdleSeconds', 5_400, '90 min'],
  ['queueTimeoutMs', 10_000, '10 s'],
  ['queueTimeoutMs', 0, '0 ms'],
  ['nodeExpirySeconds', 172_800, '2 d'],
  ['cpuPercent', 85, '85 %'],
  ['proxyUrl', '', 'none'],
  ['keepSqlText', false, 'no'],
] as const)('%s of %s is "%s"', (name, value, words) => expect(inWords(name, value)).toBe(words))
