/** What nodes and service say to each other; of tasks in task-api.ts. Unknown fields pass; every array and string has a maximum. */
import { z } from 'zod'
import { GatewaySettings } from './api/gateways.ts'
import { StoreSettings } from './api/stores.ts'
import { Epoch, GatewayId, Name, NodeId, RunId, StoreId, TaskId } from './ids.ts'

const Base64Url = z.string().max(65_536)
export const FaultMessage = z.object({
  code: z.string().max(64),
  message: z.string().max(8_192),
  remedy: z.string().max(2_048),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
})

// ── join: the only call that an authentication key opens ───────────────────────────────────────────
export const JoinRequest = z.object({
  protocol: z.int(),
  /** The join proof that is derived from an authentication key (auth-key.ts); the key itself is not sent. */
  key: z.string().max(256),
  name: Name,
  version: z.string().max(40),
  /** Ed25519 public key of the node, base64url of the 32 raw bytes: its identity. */
  identity: z.string().max(64),
  /** PKCS#10 request (PEM) for the channel certificate, made with a P-256 key of its own. */
  csr: z.string().max(8_192),
  /** The gateway that the node is of already: a key of another is refused with NODE_ALREADY_JOINED before anything is changed. */
  gatewayId: GatewayId.optional(),
})
export const JoinResponse = z.object({
  nodeId: NodeId,
  name: Name,
  gatewayId: GatewayId,
  gateway: Name,
  /** Leaf certificate for the channel, and the CA that signed it (PEM). */
  certificate: z.string(),
  authority: z.string(),
})
export type JoinResponse = z.infer<typeof JoinResponse>

// ── beat: the whole truth about a node, each LIMITS.beatMs ─────────────────────────────────────────
export const RunningAttempt = z.object({ task: TaskId, attempt: z.int() })
/** How many stores a beat names. */
export const MOST_LACKED = 200
/** What a node was asked for, tried to fetch and open, and could not. */
export const LackedStore = z.object({
  id: StoreId,
  name: Name,
  version: z.int(),
  /** The newest version that it holds; null when it holds none. */
  has: z.int().nullable(),
  reason: z.string().max(300),
})
export type LackedStore = z.infer<typeof LackedStore>
export const Beat = z.object({
  /** New at each start of the process: tells a restarted node from a late beat. */
  bootId: z.string().max(64),
  sentAt: z.iso.datetime(),
  version: z.string().max(40),
  channel: z.object({ address: z.string().max(300), ok: z.boolean(), fault: z.string().max(500).nullable() }).nullable(),
  /** Other nodes whose channel could not be reached, with the reason. */
  unreachable: z.array(z.object({ node: NodeId, reason: z.string().max(500) })).max(1_000),
  cpuPercent: z.number(),
  /** Of the window that the settings name, as far as it has been seen. Left out by older nodes. */
  averages: z.object({ cpuPercent: z.number(), memoryPercent: z.number(), overSeconds: z.number() }).optional(),
  cores: z.number(),
  totalMemoryBytes: z.number(),
  availableMemoryBytes: z.number(),
  networkInBytesPerSecond: z.number(),
  networkOutBytesPerSecond: z.number(),
  runningQueries: z.int(),
  running: z.array(RunningAttempt).max(10_000),
  /** Runs whose exported snapshot this process holds open. */
  snapshots: z.array(RunId).max(10_000),
  hasGatewayKey: z.boolean(),
  draining: z.boolean(),
  /** The program on this machine is being updated: no new work until it is not. */
  upgrading: z.boolean().optional(),
  /** Stores whose settings or credential of today this node could not fetch or open. */
  staleCredentials: z.int().min(0).max(1_000_000).optional(),
  /** The tag of the settings that this node runs with, as an answer gave it; null before the first. */
  settingsTag: z.string().max(64).nullable().optional(),
  /** Why newer settings were not taken over. */
  settingsFault: z.string().max(500).nullable().optional(),
  /** How this node's channel is encrypted: so it calls the others, and so it can be called. */
  channelEncryption: z.string().max(40).optional(),
  /** How it can be called: more than one while a change of the mode rolls. */
  channelAccepts: z.array(z.string().max(40)).max(8).optional(),
  /** What somebody should look after, though the channel works: a certificate that will expire. */
  channelNotice: z.string().max(500).nullable().optional(),
  /** Which state of the gateway's stores (BeatResponse.storesVersion) it holds all of; null before the first. Left out by older nodes. */
  storesVersion: z.int().nullable().optional(),
  /** Of the stores in `staleCredentials`, the first so many. */
  lacks: z.array(LackedStore).max(MOST_LACKED).optional(),
})
export type Beat = z.infer<typeof Beat>

export const Peer = z.object({
  id: NodeId,
  name: Name,
  channelAddress: z.string().nullable(),
  online: z.boolean(),
  acceptsWork: z.boolean(),
  hasGatewayKey: z.boolean(),
  runningJobs: z.int(),
  jobLimit: z.int(),
  cpuPercent: z.number(),
  /** Ed25519 public key: what it proves itself with on a channel whose certificates do not name nodes. Left out by an older service. */
  identity: z.string().max(64).optional(),
  /** As its last beat says (Beat). */
  channelEncryption: z.string().max(40).optional(),
  channelAccepts: z.array(z.string().max(40)).max(8).optional(),
})
export type Peer = z.infer<typeof Peer>
export const BeatResponse = z.object({
  name: Name,
  /** Not strict: a newer service may have more of them. */
  settings: z.object(GatewaySettings.shape),
  /** Names these settings; the node gives it back in its beats once it runs with them. */
  settingsTag: z.string().max(64).optional(),
  jobLimit: z.int(),
  queryLimit: z.int(),
  peers: z.array(Peer).max(1_000),
  /** The gateway's public key; null until one node has made it. */
  gatewayPublicKey: z.string().nullable(),
  /** The dispatcher's lease: `mine` until `leaseMs` after this answer was asked for. */
  dispatcher: z.object({ node: NodeId.nullable(), epoch: Epoch, mine: z.boolean(), leaseMs: z.int() }),
  /** Of the attempts in the beat, those that this node must stop: cancelled, or given to another. */
  stop: z.array(RunningAttempt),
  /** Of the snapshots in the beat, those whose run still needs them. */
  keepSnapshots: z.array(RunId),
  /** How many replicas of the service a node can have a link to; one where it is left out. */
  replicas: z.int().optional(),
  /** Grows with each change of a store of the gateway: who holds an older one fetches what is new. */
  storesVersion: z.int().optional(),
})
export type BeatResponse = z.infer<typeof BeatResponse>

/** A beat by the link: in the body of the stream NODE_PATHS.beats, without a signature, for the link has proved who it is. */
export const LineBeat = z.object({ n: z.int(), beat: Beat })
/**
 * Its answer, in the order of the beats. It has only what is new since the answer before it on the same stream; `stop` and
 * `keepSnapshots` that are left out are empty. The first has all.
 */
export const LineAnswer = z.object({ n: z.int(), answer: BeatResponse.partial().optional(), fault: FaultMessage.optional() })
export type LineAnswer = z.infer<typeof LineAnswer>

/** The first node makes the gateway's key pair; of several at once one wins, the others get `accepted: false`. */
export const OfferGatewayKey = z.object({ publicKey: z.string().max(64) })
export const OfferGatewayKeyResponse = z.object({ accepted: z.boolean(), publicKey: z.string() })
/** `identity` is null when the asker is no node of the gateway (any more). `verifiers`: of the authentication keys that are good today. */
export const HandOverFacts = z.object({
  publicKey: z.string().max(64).nullable(),
  identity: z.string().max(64).nullable(),
  verifiers: z.array(z.string().max(64)).max(8),
})
export type HandOverFacts = z.infer<typeof HandOverFacts>
/** The gateway's private key, sealed to its recovery key; only who has that key can open it (node/vault/recovery-key.ts). */
export const RecoverySeal = z.object({
  /** Of the gateway: whose private half is in it. */
  publicKey: z.string().max(64),
  /** X25519 public key that comes of the recovery key. */
  recoveryKey: z.string().max(64),
  /** HMAC of the gateway's nodes over `recoveryKey`. */
  stamp: z.string().max(64),
  sealed: z.string().max(1_024),
})
export type RecoverySeal = z.infer<typeof RecoverySeal>
export const LeaveResponse = z.object({ nodesLeft: z.int() })
export const CertificateRequest = z.object({ csr: z.string().max(8_192) })
export const CertificateResponse = z.object({ certificate: z.string(), authority: z.string() })

// ── stores, as a node sees them ────────────────────────────────────────────────────────────────────
export const StoreRef = z.object({ id: StoreId, name: Name, version: z.int() })
export type StoreRef = z.infer<typeof StoreRef>
/** The source of a copy. `remote` when another gateway has it: then it is read over the bridge (bridge.ts). */
export const SourceRef = StoreRef.extend({
  remote: z
    .object({
      kind: z.string().max(40),
      /** Of the source's gateway: what calls are sealed to. */
      publicKey: z.string().max(64),
    })
    .optional(),
})
export type SourceRef = z.infer<typeof SourceRef>
export const NodeStore = StoreRef.extend({
  gatewayId: GatewayId,
  kind: z.string().max(40),
  settings: StoreSettings,
  /** HPKE: encapsulated key and ciphertext, base64url, joined by "."; null when the store has no secrets. */
  sealed: Base64Url.nullable(),
})
export type NodeStore = z.infer<typeof NodeStore>

/** The most stores of one gateway that are kept in sync; what is beyond is fetched when it is first used. */
export const MOST_STORES = 10_000
/** What is new among the gateway's stores: asked of the service, or of another node over the channel. */
export const StoresAsked = z.object({
  /** What the asker holds. */
  known: z.array(z.object({ id: StoreId, version: z.int() })).max(MOST_STORES),
  /** Of these only; of all when left out. */
  only: z.array(StoreId).max(100).optional(),
})
export type StoresAsked = z.infer<typeof StoresAsked>
export const StoresAnswer = z.object({
  /** The state that the asker has with this answer, once `more` is false; null when a node that is asked has none itself. */
  version: z.int().nullable(),
  stores: z.array(NodeStore).max(MOST_STORES),
  /** Of `known`, those that are deleted. */
  gone: z.array(StoreId).max(MOST_STORES),
  /** There was no room for all: ask again. */
  more: z.boolean(),
})
export type StoresAnswer = z.infer<typeof StoresAnswer>

/** Does this node see, in a store whose settings could mean another place on each machine, the mark that another left there? */
export const PlaceOrder = z.object({ store: StoreRef, mark: z.string().max(500) })
export type PlaceOrder = z.infer<typeof PlaceOrder>
export const PlaceSeen = z.object({ seen: z.boolean() })

// ── rotation of the gateway's key: the node seals anew, the service takes all of it over at once ───
export const RotationFacts = z.object({
  publicKey: z.string().max(64),
  /** Those that have a credential. */
  stores: z.array(NodeStore).max(MOST_STORES),
  recovery: RecoverySeal.nullable(),
})
export type RotationFacts = z.infer<typeof RotationFacts>
export const RotationSwitch = z.object({
  from: z.string().max(64),
  to: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** Every credential of the gateway, each as it was read and sealed anew. */
  stores: z.array(z.object({ id: StoreId, version: z.int(), sealed: Base64Url })).max(MOST_STORES),
  recovery: RecoverySeal.nullable(),
})
export type RotationSwitch = z.infer<typeof RotationSwitch>
/** Not switched: these stores were saved meanwhile, or are missing. Read again. */
export const RotationSwitched = z.object({ switched: z.boolean(), changed: z.array(StoreId).max(MOST_STORES) })
export type RotationSwitched = z.infer<typeof RotationSwitched>
