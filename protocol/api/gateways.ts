import { z } from 'zod'
import { AuthKeyPart } from '../auth-key-part.ts'
import { GatewayId, Name, NodeId } from '../ids.ts'

const percent = z.int().min(0).max(100)
/** `auto` = the published formula (docs/reference/settings.md). */
const slots = z.union([z.literal('auto'), z.int().min(1).max(10_000)], { error: 'must be auto, or a whole number from 1 to 10000' })

/** Settings of a gateway; a node overrides them with the same names. */
export const GatewaySettings = z.strictObject({
  policy: z
    .enum(['primary-first', 'random', 'least-loaded', 'round-robin'])
    .default('primary-first')
    .meta({ title: 'How a node is chosen for a query' }),
  cpuPercent: percent.default(0).meta({ title: 'CPU limit of a node in percent; 0 = off' }),
  memoryPercent: percent.default(0).meta({ title: 'Memory limit of a node in percent; 0 = off' }),
  aggregationMinutes: z.int().min(1).max(60).default(5).meta({ title: 'Window over which CPU and memory are averaged' }),
  queryConcurrency: slots.default('auto').meta({ title: 'Queries that one node runs at a time' }),
  jobConcurrency: slots.default('auto').meta({ title: 'Copy tasks that one node runs at a time' }),
  queueTimeoutMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(10_000)
    .meta({ title: 'How long a query waits when every node is at a limit; 0 = not at all' }),
  sessionsPerStore: z
    .int()
    .min(0)
    .max(100_000)
    .default(100)
    .meta({ title: 'Connections (PostgreSQL wire, `postern connect`) to one store at a time; 0 = any number' }),
  sessionsPerCaller: z.int().min(0).max(100_000).default(100).meta({ title: 'Connections of one caller at a time; 0 = any number' }),
  sessionIdleSeconds: z
    .int()
    .min(0)
    .max(31_536_000)
    .default(28_800)
    .meta({ title: 'End a connection on which nothing has moved for so long; 0 = never' }),
  sessionLifeSeconds: z
    .int()
    .min(0)
    .max(31_536_000)
    .default(0)
    .meta({ title: 'End a connection of this age, after its transaction; 0 = never' }),
  channelEncryption: z.enum(['mutual', 'certificate', 'off']).default('mutual').meta({ title: 'Encryption between nodes' }),
  proxyUrl: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })], { error: 'must be an http:// or https:// address, or nothing' })
    .default('')
    .meta({ title: 'HTTP proxy through which nodes dial out' }),
  nodeExpirySeconds: z
    .int()
    .min(0)
    .max(31_536_000)
    .default(0)
    .meta({ title: 'Delete a node that has been offline for so long; 0 = never' }),
  queryLogDays: z.int().min(0).max(3_650).default(7).meta({ title: 'How many days ended queries stay in the query log; 0 = none is kept' }),
  keepSqlText: z.boolean().default(false).meta({ title: 'Keep the text of statements in the query log; parameters never' }),
  graceSeconds: z
    .int()
    .min(0)
    .max(31_536_000)
    .default(600)
    .meta({ title: 'A node that has not heard from the service for so long ends what it runs; 0 = never' }),
})
export type GatewaySettings = z.output<typeof GatewaySettings>

/** KEY=VALUE marks of nodes, such as site=berlin; a store may require some of the nodes that answer for it. */
export const Labels = z.record(Name, Name).refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels')
export type Labels = z.output<typeof Labels>

/** In effect on one node: the gateway's settings, the node's own over them, and what only a node has. */
export const NodeSettings = z.strictObject({
  ...GatewaySettings.shape,
  weight: z.int().min(1).max(100).default(1).meta({ title: 'Share of the queries that the node takes, measured by the others' }),
  labels: Labels.default({}).meta({ title: 'Marks that stores may require (`labels=site=berlin,disk=ssd`)' }),
})
export type NodeSettings = z.output<typeof NodeSettings>

type Changed<Shape> = { [K in keyof Shape]: Shape[K] extends z.ZodDefault<infer Inner extends z.ZodType> ? z.ZodOptional<Inner> : never }
type Patched<Shape> = {
  [K in keyof Shape]: Shape[K] extends z.ZodDefault<infer Inner extends z.ZodType> ? z.ZodOptional<z.ZodNullable<Inner>> : never
}
type Settings = Readonly<Record<string, z.ZodDefault<z.ZodType>>>

const changeOf = <Shape extends Settings>(shape: Shape) =>
  z.strictObject(
    Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, schema.unwrap().optional()])) as unknown as Changed<Shape>,
  )
const patchOf = <Shape extends Settings>(shape: Shape) =>
  z.strictObject(
    Object.fromEntries(
      Object.entries(shape).map(([name, schema]) => [name, schema.unwrap().nullable().optional()]),
    ) as unknown as Patched<Shape>,
  )

/** What a person changed; the rest stays at its default. */
export const SettingsChange = changeOf(GatewaySettings.shape)
export type SettingsChange = z.output<typeof SettingsChange>
export const NodeSettingsChange = changeOf(NodeSettings.shape)
export type NodeSettingsChange = z.output<typeof NodeSettingsChange>

/** A change to make: null takes a setting back to its default (of a node: to the gateway's). What is not named stays. */
export const SettingsPatch = patchOf(GatewaySettings.shape)
export type SettingsPatch = z.output<typeof SettingsPatch>
export const NodeSettingsPatch = patchOf(NodeSettings.shape)
export type NodeSettingsPatch = z.output<typeof NodeSettingsPatch>

export const NodeStatus = z.enum(['online', 'offline', 'upgrading', 'limited', 'inactive', 'draining', 'disabled'])
export type NodeStatus = z.infer<typeof NodeStatus>
export const GatewayStatus = z.enum(['needs-registration', 'online', 'limited', 'offline'])
export type GatewayStatus = z.infer<typeof GatewayStatus>

export const NodeView = z.object({
  id: NodeId,
  gateway: Name,
  name: Name,
  status: NodeStatus,
  /** Why it is so, in words; empty when all is well. */
  statusReasons: z.array(z.string()),
  enabled: z.boolean(),
  version: z.string(),
  role: z.enum(['dispatcher', 'worker']),
  isPrimary: z.boolean(),
  /** `in-sync`, `behind by N` (stores), `missing` (it can open none), `no key yet`, `unknown` while the node is away. */
  credentialStatus: z.string(),
  /** The stores whose version of today it lacks: then it answers no query for them. */
  lacks: z.array(z.object({ store: Name, version: z.int(), has: z.int().nullable(), reason: z.string() })).default([]),
  availableMemoryBytes: z.number(),
  totalMemoryBytes: z.number(),
  cpuPercent: z.number(),
  networkInBytesPerSecond: z.number(),
  networkOutBytesPerSecond: z.number(),
  runningJobs: z.int(),
  jobLimit: z.int(),
  /** How the effective limit came about: "auto: 2 cores → 4". */
  jobLimitReason: z.string(),
  runningQueries: z.int(),
  queryLimit: z.int(),
  queryLimitReason: z.string(),
  /** 0 = no limit. */
  cpuLimitPercent: z.number(),
  cpuLimitReason: z.string(),
  memoryLimitPercent: z.number(),
  memoryLimitReason: z.string(),
  /** What the limits are held against; null before the node has said it. */
  averages: z.object({ cpuPercent: z.number(), memoryPercent: z.number(), overSeconds: z.number() }).nullable(),
  weight: z.int(),
  labels: Labels,
  channelAddress: z.string().nullable(),
  /** `raw` or `websocket`; null while there is no link. */
  linkTransport: z.enum(['raw', 'websocket']).nullable(),
  joinedAt: z.iso.datetime(),
  lastBeatAt: z.iso.datetime().nullable(),
  settings: NodeSettingsChange,
})
export type NodeView = z.infer<typeof NodeView>

export const GatewayView = z.object({
  id: GatewayId,
  name: Name,
  status: GatewayStatus,
  /** Why it is so, in words; empty when all is well. */
  statusReasons: z.array(z.string()),
  /** The version most of its nodes run; empty while it has none. */
  version: z.string(),
  /** X25519 public key, base64url; null until the first node made it. Credentials are sealed to it. */
  publicKey: z.string().nullable(),
  /** SHA-256 of the public key, hex in groups of four: the same text stands on the nodes. */
  fingerprint: z.string().nullable(),
  /** Since when a recovery key opens the gateway's key; null: none does. */
  recoveryKeyAt: z.iso.datetime().nullable(),
  settings: GatewaySettings,
  nodes: z.array(NodeView),
  /** Tasks of copies that are ready and wait for a free slot, and how long the first of them has waited. */
  queue: z.object({ tasks: z.int(), waitedMs: z.number() }).optional(),
  createdAt: z.iso.datetime(),
})
export type GatewayView = z.infer<typeof GatewayView>

export const GatewayCreate = z.strictObject({
  name: Name,
  settings: SettingsChange.optional(),
  /** Of two authentication keys that the caller made (auth-key.ts), so that the service never sees them. Left out: the service makes them. */
  keys: z.tuple([AuthKeyPart, AuthKeyPart]).optional(),
})
/** Where the service made the keys, this is the only answer that ever holds them; it keeps what nobody can join with. */
export const GatewayCreated = GatewayView.extend({ key1: z.string().optional(), key2: z.string().optional() })
export type GatewayCreated = z.infer<typeof GatewayCreated>
/** Of the key that the caller made; without a body the service makes one. */
export const KeyRegenerate = AuthKeyPart.nullish()
/** POST /v1/gateways/{gateway}/rotate-key. `challenge`: 32 bytes sealed to the key that the caller knows (client/rotation.ts). */
export const RotateKey = z.strictObject({ challenge: z.string().max(512).optional() }).nullish()
export const KeyRotated = z.object({
  publicKey: z.string(),
  fingerprint: z.string(),
  /** Where there was a challenge: what shows that a node which held the old key made this one. */
  proof: z.string().optional(),
  resealed: z.int(),
  unreadable: z.array(z.string()),
  /** The node that did it. */
  node: Name,
})
export type KeyRotated = z.infer<typeof KeyRotated>
export const GatewayKeys = z.object({
  keys: z.array(z.object({ slot: z.union([z.literal(1), z.literal(2)]), hint: z.string(), createdAt: z.iso.datetime() })),
})
export type GatewayKeys = z.infer<typeof GatewayKeys>
/** Exactly one of the two is there, that of the slot, where the service made it; none where the caller did. */
export const KeyRegenerated = z.object({ key1: z.string().optional(), key2: z.string().optional() })
export type KeyRegenerated = z.infer<typeof KeyRegenerated>
