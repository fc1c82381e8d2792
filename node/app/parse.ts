import { Fault } from '@postern/protocol/fault.ts'
import type { z } from 'zod'

/** A body as its schema says, or INPUT_INVALID that names the field. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Fault('INPUT_INVALID', { at: `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not valid'}` })
}
