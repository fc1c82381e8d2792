/** JSON Schema of the file of `postern apply`, with the settings of each kind of store: for editors, and for checks before a commit. */
import { settingsMarked } from '@postern/connectors/contract.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import { ApplyFile } from '@postern/protocol/api/apply.ts'
import { z } from 'zod'

type Json = Record<string, unknown>

export function applySchema(): Json {
  const schema = z.toJSONSchema(ApplyFile, { io: 'input', unrepresentable: 'any', target: 'draft-2020-12' }) as Json
  const store = ((schema['properties'] as Json)['stores'] as Json)['additionalProperties'] as Json
  ;(store['properties'] as Json)['kind'] = { enum: [...CONNECTORS.keys()] }
  store['allOf'] = [...CONNECTORS.values()].map((connector) => {
    const config = z.toJSONSchema(connector.config, { io: 'input', unrepresentable: 'any' }) as {
      readonly properties?: Json
      readonly required?: string[]
    }
    const secret = new Set(settingsMarked(connector, 'secret'))
    const plain = Object.entries(config.properties ?? {}).filter(([name]) => !secret.has(name))
    const properties = {
      settings: {
        type: 'object',
        properties: Object.fromEntries(plain),
        required: (config.required ?? []).filter((name) => !secret.has(name)),
        additionalProperties: false,
      },
      secrets: { propertyNames: { enum: [...secret] } },
    }
    // biome-ignore lint/suspicious/noThenProperty: it is a word of JSON Schema
    return { if: { properties: { kind: { const: connector.kind } } }, then: { properties } }
  })
  return { ...schema, title: 'What postern apply -f takes' }
}
