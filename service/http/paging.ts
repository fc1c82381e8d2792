/** Lists are paged by cursor: the key of the last entry, opaque to the caller. */
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'

const MOST = 1_000

export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MOST).default(100).meta({ description: 'The most entries in one answer' }),
  cursor: z.string().max(400).optional().meta({ description: '`nextCursor` of the page before' }),
})
export type PageQuery = z.infer<typeof PageQuery>

export const pageOf = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item), nextCursor: z.string().nullable() })

/** What the cursor stands for; undefined for the first page. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  if (!text.startsWith('c:')) throw new Fault('INPUT_INVALID', { at: 'query cursor: not one of ours.' })
  return text.slice(2)
}

/** `rows` holds one more than `limit` when there is a next page. */
export function page<Row, View>(rows: readonly Row[], limit: number, keyOf: (row: Row) => string | number, view: (row: Row) => View) {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items: shown.map(view), nextCursor: more ? Buffer.from(`c:${keyOf(last)}`).toString('base64url') : null }
}
