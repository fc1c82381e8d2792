import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import { expect, test } from 'vitest'
import { groupsOf, labelsOf, problemsOf, sealedPartsOf, secretProblems, settingsOf, typedOf } from './store-form.ts'

const kind: StoreKindView = {
  kind: 'postgres',
  title: 'PostgreSQL',
  can: { query: true, wire: 'postgres', source: true, sinkModes: ['append'] },
  config: {
    type: 'object',
    properties: {
      host: { type: 'string', title: 'Host', minLength: 1, audience: true },
      port: { type: 'integer', title: 'Port', minimum: 1, maximum: 65_535, default: 5432, audience: true },
      password: { type: 'string', title: 'Password', secret: true },
      sslmode: { type: 'string', title: 'TLS', enum: ['disable', 'require'], default: 'disable' },
      maxConnections: { type: 'integer', title: 'Connections', minimum: 1, default: 10 },
      header: { type: 'boolean', title: 'Header line', copy: true },
    },
    required: ['host'],
    additionalProperties: false,
  },
  secrets: ['password'],
}
const groups = groupsOf(kind)
const fields = [...groups.main, ...groups.more]

test('where a store is comes first, secrets apart, limits and what copies may say folded', () => {
  expect(groups.main.map(({ name }) => name)).toEqual(['host', 'port', 'sslmode'])
  expect(groups.secrets.map(({ name }) => name)).toEqual(['password'])
  expect(groups.more.map(({ name }) => name)).toEqual(['maxConnections', 'header'])
})

test('what is left empty is left out, numbers are numbers and flags are flags', () => {
  expect(settingsOf(fields, { host: 'db', port: '6543', sslmode: '', header: 'no' })).toEqual({ host: 'db', port: 6543, header: false })
  expect(settingsOf(fields, typedOf({ host: 'db', port: 6543, header: true }))).toEqual({ host: 'db', port: 6543, header: true })
})

test('what the schema does not allow is said by the name of the setting', () => {
  expect(problemsOf(fields, { port: 70_000 })).toEqual({ host: 'Is needed', port: 'At most 65535' })
  expect(problemsOf(fields, { host: 'db', port: 1.5 })).toEqual({ port: 'A whole number' })
  expect(problemsOf(fields, { host: 'db' })).toEqual({})
})

test('secrets and references are sealed together, and only their names are told', () => {
  const secrets = {
    password: { as: 'typed', text: 'hunter2' },
    token: { as: 'reference', text: 'file:t' },
    other: { as: 'typed', text: '' },
  } as const

  expect(sealedPartsOf(secrets)).toEqual({ plain: { password: 'hunter2', 'ref:token': 'file:t' }, names: ['password', 'token'] })
  expect(secretProblems({ password: { as: 'reference', text: 'hunter2' } })['password']).not.toContain('hunter2')
  expect(secretProblems(secrets)).toEqual({})
})

test('labels are pairs', () => {
  expect(labelsOf('site=berlin, disk=ssd')).toEqual({ site: 'berlin', disk: 'ssd' })
  expect(labelsOf('')).toEqual({})
  expect(labelsOf('berlin')).toBeUndefined()
})
