/** Which kinds of store there are and what each must be told: forms are made from it, secrets sealed by its marks. */
import { z } from 'zod'

/** JSON schema (2020-12) of one setting, and the marks of its connector. */
export const SettingSchema = z.looseObject({
  type: z.enum(['string', 'integer', 'number', 'boolean']),
  title: z.string().optional(),
  description: z.string().optional(),
  /** What holds where it is left out. */
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.int().optional(),
  maxLength: z.int().optional(),
  pattern: z.string().optional(),
  /** `uri`: an http or https address. */
  format: z.string().optional(),
  /** What is wanted, where a pattern would not tell it to a person. */
  examples: z.array(z.string()).optional(),
  /** Goes sealed, never in clear. */
  secret: z.boolean().optional(),
  /** Says where secrets go: part of what a sealed secret is bound to. */
  audience: z.boolean().optional(),
  /** A copy may say it anew for itself. */
  copy: z.boolean().optional(),
})
export type SettingSchema = z.infer<typeof SettingSchema>

export const StoreKindView = z.object({
  kind: z.string(),
  title: z.string(),
  can: z.object({
    query: z.boolean(),
    /** The protocol that clients can speak to it through the gateway; null: none. */
    wire: z.string().nullable(),
    source: z.boolean(),
    /** How a copy may write into it; empty: not at all. */
    sinkModes: z.array(z.enum(['append', 'overwrite', 'upsert'])),
  }),
  /** JSON schema of `settings` and secrets together. */
  config: z.object({
    type: z.literal('object'),
    properties: z.record(z.string(), SettingSchema),
    required: z.array(z.string()),
    additionalProperties: z.literal(false),
  }),
  /** Names of the settings that are sealed: those whose schema says `secret`. */
  secrets: z.array(z.string()),
})
export type StoreKindView = z.infer<typeof StoreKindView>
export const StoreKinds = z.object({ items: z.array(StoreKindView) })
