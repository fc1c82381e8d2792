/**
 * What a plan leaves for the tasks after it. JSON: the service keeps it unread and gives it to the nodes, so each task parses it
 * before it trusts it.
 */
import { ColumnJson } from '@postern/connectors/column-json.ts'
import type { Commit, Digest, Extent, Part, Shape, Target } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'

const Encoding = z.enum(['file', 'pg-binary', 'pg-text', 'csv-raw', 'csv'])

const ShapeJson: z.ZodType<Shape> = z.object({
  title: z.string(),
  columns: z.array(ColumnJson),
  key: z.array(z.string()),
  estimatedRows: z.number().nullable(),
  estimatedBytes: z.number().nullable(),
  kind: z.string(),
  encodings: z.array(Encoding),
  oneMoment: z.literal('on-one-node').exactOptional(),
  own: z.unknown(),
})
const TargetJson: z.ZodType<Target> = z.object({
  title: z.string(),
  encoding: Encoding,
  columns: z.array(ColumnJson),
  omits: z.array(z.string()).exactOptional(),
  single: z.boolean(),
  converts: z.boolean().exactOptional(),
  notes: z.array(z.string()),
  own: z.unknown(),
})
const KeyRangeJson = z.object({ column: z.string(), from: z.string().nullable(), below: z.string().nullable(), nulls: z.boolean() })
const PartJson: z.ZodType<Part> = z.object({
  name: z.string(),
  estimatedRows: z.number().nullable(),
  range: KeyRangeJson.exactOptional(),
  own: z.unknown(),
})
const CommitJson: z.ZodType<Commit> = z.object({
  rows: z.number(),
  bytes: z.number(),
  attempt: z.int(),
  skipped: z.number().exactOptional(),
})
const DigestJson: z.ZodType<Digest> = z.object({ rows: z.number(), checksum: z.string().nullable() })

/** Plan-wide facts, the `context` of an order. */
const PlanContext = z.object({
  version: z.literal(1),
  lane: z.string(),
  shape: ShapeJson,
  target: TargetJson,
  /** How many parts the plan cut. */
  parts: z.int().min(1),
  snapshot: z.object({ id: z.string(), takenAt: z.iso.datetime() }).nullable(),
  /** Where rows go that are left out, when the copy names a place. */
  rejects: TargetJson.optional(),
})
export type PlanContext = z.infer<typeof PlanContext>

/** The `spec` of a part's order. */
const PartSpec = z.object({
  index: z.int().min(0),
  part: PartJson,
  /** Of a repair: tasks whose rows this one brings anew. */
  replaces: z.array(z.string()).optional(),
})
export type PartSpec = z.infer<typeof PartSpec>

/** The `result` of a part that has moved, for `finish`. */
const PartResult = z.object({
  index: z.int().min(0),
  commit: CommitJson,
  /** Rows as the source counted them; null when an earlier attempt had moved the part. */
  rowsRead: z.number().nullable(),
  /** The snapshot that it was read under. */
  snapshot: z.string().nullable(),
  already: z.boolean(),
  /** What the source has for the part, under that snapshot: where checksums are asked for, and unless it could not be had. */
  source: DigestJson.nullable().default(null),
  /** What the source's checksum has of the rows that the target left out; null: not known. */
  leftOut: z.string().nullable().default(null),
})
export type PartResult = z.infer<typeof PartResult>

/** What rows the part has: one part is all. */
export function extentOf({ parts }: Pick<PlanContext, 'parts'>, { part }: PartSpec): { readonly extent?: Extent } {
  if (parts === 1) return { extent: 'all' }
  return part.range ? { extent: part.range } : {}
}

export const parseShape = (value: unknown): Shape => parse(ShapeJson, value, 'a shape')
export const parsePart = (value: unknown): Part => parse(PartJson, value, 'a part')
export const parseContext = (value: unknown): PlanContext => parse(PlanContext, value, "the plan's context")
export const parseSpec = (value: unknown): PartSpec => parse(PartSpec, value, "the part's spec")
export const parseResult = (value: unknown): PartResult => parse(PartResult, value, "the part's result")

function parse<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Fault('INTERNAL', {
    at: `${what} cannot be read: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    remedy: 'Nodes of different versions may have met in this run: start it again.',
  })
}
