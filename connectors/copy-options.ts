/** Options of one copy, over the settings of its store. */
import { Fault } from '@postern/protocol/fault.ts'
import type { z } from 'zod'
import { settingsMarked } from './contract.ts'
import type { CopyOptions } from './copy-contract.ts'

/**
 * The settings of the store with the options of one copy over them. Only those that the schema marks `.meta({ copy: true })` may be given;
 * `side` says where they stand in the request.
 */
export function withCopyOptions<Schema extends z.ZodObject>(
  config: Schema,
  settings: z.output<Schema>,
  options: CopyOptions,
  side: 'read' | 'write',
): z.output<Schema> {
  const known = settingsMarked({ config }, 'copy')
  const merged: Record<string, unknown> = { ...settings }
  for (const [name, value] of Object.entries(options)) {
    const schema = known.includes(name) ? (config.shape[name] as z.ZodType | undefined) : undefined
    if (!schema) throw unknownOption(`${side}.${name}`, known)
    const parsed = schema.safeParse(value)
    if (!parsed.success) {
      throw new Fault('INPUT_INVALID', { at: `${side}.${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}` })
    }
    merged[name] = parsed.data
  }
  return merged as z.output<Schema>
}

function unknownOption(name: string, known: readonly string[]): Fault {
  return new Fault('INPUT_INVALID', {
    at: `${name}: ${known.length === 0 ? 'this kind of store has no options for a copy' : `known options are ${known.toSorted().join(', ')}`}`,
    remedy: 'See the settings of the kind of store that may be given for one copy.',
  })
}
