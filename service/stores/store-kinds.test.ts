import { audienceOf } from '@postern/connectors/contract.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import { audienceByKind } from '@postern/protocol/seal-context.ts'
import { expect, test } from 'vitest'
import { kindView } from './store-kinds.ts'

const viewOf = (kind: string) => {
  const connector = CONNECTORS.get(kind)
  if (!connector) throw new Error(`There is no kind ${kind}.`)
  return { connector, view: kindView(connector) }
}

test.each([...CONNECTORS.keys()])('every setting of %s is one that a form can ask for, with a title', (kind) => {
  const { connector, view } = viewOf(kind)

  expect(StoreKindView.parse(JSON.parse(JSON.stringify(view)))).toEqual(view)
  expect(Object.keys(view.config.properties)).toEqual(Object.keys(connector.config.shape))
  for (const [name, schema] of Object.entries(view.config.properties)) expect(schema.title, name).toBeTruthy()
})

test('which settings are needed, which are sealed and what holds when they are left out is said', () => {
  const { config, secrets, can } = viewOf('postgres').view

  expect(config.required).toEqual(['host', 'database', 'user'])
  expect(secrets).toEqual(['password'])
  expect(config.properties['port']).toMatchObject({ type: 'integer', minimum: 1, maximum: 65_535, default: 5432, audience: true })
  expect(config.properties['sslmode']).toMatchObject({ enum: ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] })
  expect(can).toEqual({ query: true, wire: 'postgres', source: true, sinkModes: ['append', 'overwrite', 'upsert'] })
})

test('what may be given as a word is true or false', () => {
  expect(viewOf('s3').view.config.properties['pathStyle']).toMatchObject({ type: 'boolean', title: 'Path style' })
})

test.each([
  ['postgres', { host: 'db', database: 'shop', user: 'reader' }],
  ['postgres', { host: 'db', port: 6543, database: 'shop', user: 'reader' }],
  ['mysql', { host: 'db', database: 'shop', user: 'reader' }],
  ['s3', { bucket: 'lake', accessKeyId: 'AK' }],
  ['s3', { bucket: 'lake', accessKeyId: 'AK', endpoint: 'http://minio:9000', region: 'eu' }],
  ['azure-blob', { container: 'lake', account: 'acc' }],
  ['files', { path: '/srv/lake' }],
] as const)('a secret of %s is bound to the same place in a browser as on the node', (kind, settings) => {
  const { connector, view } = viewOf(kind)

  expect(audienceByKind(view, settings)).toEqual(audienceOf(connector, settings))
})
