/** Columns as JSON: in plans, in manifests of files, and in what nodes of two gateways ask of each other. */
import { z } from 'zod'
import type { Column } from './copy-contract.ts'

const PLAIN_TYPES = [
  'bool',
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'text',
  'bytes',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'uuid',
  'json',
  'other',
] as const

const LogicalTypeJson = z.union([
  z.object({ is: z.enum(PLAIN_TYPES) }),
  z.object({ is: z.literal('decimal'), precision: z.int().exactOptional(), scale: z.int().exactOptional() }),
])

export const ColumnJson: z.ZodType<Column> = z.object({
  name: z.string(),
  type: LogicalTypeJson,
  native: z.string(),
  nullable: z.boolean(),
})
