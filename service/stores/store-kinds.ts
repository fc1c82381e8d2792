/** The catalogue of connectors, as forms need it. Pure. */
import { type Connector, settingsMarked } from '@postern/connectors/contract.ts'
import type { SettingSchema, StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import { z } from 'zod'

export function kindView(connector: Connector): StoreKindView {
  const { kind, title, can, config } = connector
  const shape = config.shape as Readonly<Record<string, z.ZodType>>
  return {
    kind,
    title,
    can: {
      query: can.query === 'sql',
      wire: can.wire ?? null,
      source: can.source !== undefined,
      sinkModes: [...(can.sink?.modes ?? [])],
    },
    config: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, settingSchema(schema)])),
      required: Object.keys(shape).filter((name) => !shape[name]?.safeParse(undefined).success),
      additionalProperties: false,
    },
    secrets: [...settingsMarked(connector, 'secret')],
  }
}

/** Of the value as it is kept: settings may be given as text too ("5432", "yes"), a form gives them as what they are. */
function settingSchema(schema: z.ZodType): SettingSchema {
  const made = z.toJSONSchema(schema, {
    io: 'output',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // A flag takes words besides: what comes out is true or false.
      if (!jsonSchema.anyOf?.some((one) => typeof one === 'object' && one.type === 'boolean')) return
      delete jsonSchema.anyOf
      jsonSchema.type = 'boolean'
    },
  })
  const { $schema: _, ...rest } = made
  // What a transform makes of a text ("tab" for a tab) has no type of its own; the node makes it, a form asks for the text.
  return { type: 'string', ...rest } as SettingSchema
}
