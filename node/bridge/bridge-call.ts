/** What a node asks of a node of another gateway: the calls of `Source`, as sealed JSON. */
import { ColumnJson } from '@postern/connectors/column-json.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'

/** A value of the source's nodes, as the text that they made, with the proof that they made it. */
export const Stamped = z.object({ text: z.string(), stamp: z.string().max(64) })
export type Stamped = z.infer<typeof Stamped>

const Snapshot = z.string().max(1_024).nullable()
/** What can be told of the target before its source is looked at. */
const ExpectedJson = z.object({
  columns: z.array(ColumnJson).max(10_000).exactOptional(),
  files: z
    .object({ format: z.string().max(40), compression: z.string().max(40), dialect: z.string().max(4_096), single: z.boolean() })
    .exactOptional(),
  skip: z.boolean().exactOptional(),
})
/** A row that the source leaves out; its bytes as base64. */
export const LeftRow = z.object({
  row: z.int().min(1),
  column: z.string().max(1_024).nullable(),
  code: z.string().max(100),
  error: z.string().max(65_536),
  bytes: z.string().max(24 << 20),
})
const Options = z.record(z.string().max(64), z.union([z.string().max(4_096), z.number(), z.boolean()]))

const SplitOptions = z.object({
  wanted: z.number().nullable(),
  snapshot: Snapshot,
  encoding: z.string().max(40).exactOptional(),
  splitBy: z.string().max(63).exactOptional(),
})

export const BridgeCall = z.discriminatedUnion('op', [
  /** → head: the shape, Stamped. */
  z.object({ op: z.literal('describe'), what: z.string().max(65_536), options: Options, expected: ExpectedJson.exactOptional() }),
  /** → head: { shape: Stamped, to }. */
  z.object({
    op: z.literal('above'),
    shape: Stamped,
    column: z.string().max(63),
    from: z.string().max(1_024).nullable(),
    snapshot: Snapshot,
  }),
  /** → head: { id }. It lasts as long as the answer is not ended. */
  z.object({ op: z.literal('snapshot') }),
  /** → head: the parts, each Stamped. */
  z.object({ op: z.literal('split'), shape: Stamped, options: SplitOptions }),
  /** → head: {}; bytes, and LeftRow where `left` is set; end: { rows }. */
  z.object({
    op: z.literal('read'),
    shape: Stamped,
    part: Stamped,
    encoding: z.string().max(40),
    snapshot: Snapshot,
    left: z.boolean().exactOptional(),
  }),
  /** → head: a Digest. */
  z.object({
    op: z.literal('digest'),
    shape: Stamped,
    part: Stamped.nullable(),
    parts: z.array(Stamped).exactOptional(),
    encoding: z.string().max(40).exactOptional(),
    snapshot: Snapshot,
    columns: z.array(ColumnJson).max(10_000),
    checksum: z.boolean(),
  }),
])
export type BridgeCall = z.infer<typeof BridgeCall>

export function parseCall(text: string): BridgeCall {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw unreadable('not JSON')
  }
  const parsed = BridgeCall.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unreadable(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

function unreadable(why: string): Fault {
  return new Fault('INPUT_INVALID', {
    at: `A call of another gateway cannot be read: ${why}`,
    remedy: 'The nodes of the two gateways may have different versions: upgrade the older ones.',
  })
}
