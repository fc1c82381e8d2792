import { z } from 'zod'
import { Name, StoreId } from '../ids.ts'
import { Labels } from './gateways.ts'
import { StoreLimits } from './query-limits.ts'

/** The longest text is a chain of certificates; each connector says what its own may be. */
const Setting = z.union([z.string().max(65_536), z.number(), z.boolean()])
export const StoreSettings = z.record(z.string().max(64), Setting)
export type StoreSettings = z.infer<typeof StoreSettings>

export const StoreView = z.object({
  id: StoreId,
  name: Name,
  gateway: Name,
  kind: z.string(),
  /** Grows with each change of settings or credential. */
  version: z.int(),
  /** Never a secret: secret settings are only named in `secrets`. */
  settings: StoreSettings,
  /** Names of the settings whose values are sealed. */
  secrets: z.array(z.string()),
  /** What `postern apply` knows the credential by: a label of its file, never anything made from the secret. */
  secretsVersion: z.string().max(120).nullable().default(null),
  /** Only nodes that carry all of these answer queries for it. */
  nodeLabels: Labels,
  /** Of each query, and of all copies of this store. */
  limits: StoreLimits,
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type StoreView = z.infer<typeof StoreView>

export const StoreCreate = z.strictObject({
  name: Name,
  gateway: Name,
  kind: z.string().max(40),
  settings: StoreSettings.default({}),
  /** The secret settings as one sealed JSON object, base64url (client/seal.ts); left out when there are none. */
  sealed: z.string().max(65_536).optional(),
  /** The gateway's public key that it was sealed to: refused with GATEWAY_KEY_ROTATED when that is not the key of today. */
  sealedTo: z.string().max(64).optional(),
  /** What `postern apply` knows the credential by: a label of its file, never anything made from the secret. */
  secretsVersion: z.string().max(120).optional(),
  /** Names of the settings inside `sealed`. */
  secrets: z.array(z.string().max(64)).max(32).default([]),
  /** Only nodes that carry all of these answer queries for it. */
  nodeLabels: Labels.default({}),
  limits: StoreLimits.default({}),
})
export type StoreCreate = z.input<typeof StoreCreate>

export const StoreTest = z.strictObject({ node: Name.optional() })
export const StoreTestResult = z.object({
  ok: z.boolean(),
  node: Name,
  durationMs: z.number(),
  /** What answered: product and version. */
  server: z.string().optional(),
  fault: z.object({ code: z.string(), message: z.string(), remedy: z.string() }).optional(),
})
export type StoreTestResult = z.infer<typeof StoreTestResult>

/** One level of what a store holds. */
export const CatalogEntry = z.object({
  name: z.string(),
  /** What to give as WHAT of a copy, or as the next PATH of a browse. */
  path: z.string(),
  type: z.enum(['schema', 'table', 'view', 'folder', 'file']),
  rows: z.number().optional(),
  bytes: z.number().optional(),
  columns: z.array(z.object({ name: z.string(), type: z.string(), nullable: z.boolean() })).optional(),
})
export type CatalogEntry = z.infer<typeof CatalogEntry>
export const Catalog = z.object({ path: z.string(), entries: z.array(CatalogEntry).max(10_000), truncated: z.boolean() })
export type Catalog = z.infer<typeof Catalog>
