/** The link: the node's dialled-out connection. After the upgrade the node is the HTTP/2 server on it. */
import { z } from 'zod'
import { QueryFormat, QueryParam } from './api/queries.ts'
import { NodeId, QueryId, SessionId, type StoreId } from './ids.ts'
import { StoreRef } from './node-api.ts'

/** Where the node dials: `GET` with `Upgrade: postern` (raw) or `Upgrade: websocket` (subprotocol of the same name). */
export const LINK_PATH = '/v1/node/link'
export const LINK_PROTOCOL = 'postern'
/** In the 101: the id of the replica that took the link. In the request: the id of one that is linked already and is to refuse. */
export const REPLICA_HEADER = 'postern-replica'

/**
 * Paths of the node's HTTP/2 application. Reached by two doors: the link (service) and the channel (other nodes).
 * Each is POST with a JSON body; the doors that may use it stand behind it.
 */
export const NODE_PATHS = {
  /** link · QueryOrder → rows as bytes; trailers as in QUERY_TRAILERS. */
  query: '/query',
  /** link · {} in ORDER_HEADER → a stream of messages both ways, as in QUERY_TRUNK: many small queries share it. */
  queryTrunk: '/query/trunk',
  /** link · QueryRest → the answer that waits since `apart` was said on a trunk, as of `query`. */
  queryRest: '/query/rest',
  /** link · StoreOrder → StoreTestResult without `node`. */
  testStore: '/store/test',
  /** link · BrowseOrder → Catalog. */
  browseStore: '/store/browse',
  /** link · WireOrder in ORDER_HEADER → a signed-in connection of the store: both bodies are its bytes. */
  wire: '/wire',
  /** link · WireCancel → 204. */
  cancelWire: '/wire/cancel',
  /** link · ConnectOrder in ORDER_HEADER → a TCP connection to the store: both bodies are its bytes. */
  connect: '/connect',
  /** link · BridgeOrder → frames (bridge.ts). */
  bridge: '/bridge',
  /** channel · PlaceOrder → PlaceSeen. */
  place: '/place',
  /** link, channel · TaskOrder → DispatchResponse. */
  dispatch: '/task',
  /** channel · {} → HandOverChallenge: what the next request for the gateway's key must be signed over. */
  handOverChallenge: '/gateway-key/challenge',
  /** channel · HandOverRequest → HandOverAnswer. */
  handOver: '/gateway-key',
  /** channel · PrepareKey → 204: the gateway's key is being rotated, ask for the one to come. */
  prepareKey: '/gateway-key/prepare',
  /** link · RotateOrder → RotateAnswer. */
  rotateKey: '/gateway-key/rotate',
  /** channel · StoresAsked → StoresAnswer. */
  stores: '/stores',
  /** channel · {} → 204: the dispatcher has news of stores, ask it. */
  storesChanged: '/stores/changed',
  /** link, channel · {} → 204. */
  ping: '/ping',
  /** link · for as long as the link lives: a LineBeat each second from the node, a LineAnswer to each from the service. JSON, one a line. */
  beats: '/beats',
} as const

export const QueryOrder = z.object({
  query: QueryId,
  store: StoreRef,
  sql: z.string(),
  params: z.array(QueryParam),
  mode: z.enum(['read', 'write']),
  maxRows: z.int().optional(),
  timeoutMs: z.int(),
  /** The database is told of the time-out too, so that it ends the statement even when the node is gone. */
  endInStore: z.boolean().optional(),
  format: QueryFormat,
})
export type QueryOrder = z.infer<typeof QueryOrder>

/**
 * The trunk: one long-lived stream of a link that carries many small queries, one message there and one back each (base/message-stream.ts).
 * A stream of its own costs a small query more than all the rest of its way. A large answer still gets one: `apart` says so.
 */
export const QUERY_TRUNK = {
  /** Service → node: QueryOrder, JSON. */
  order: 1,
  /** Service → node: nobody waits for the answer any more. */
  cancel: 2,
  /** Node → service: the whole answer: rows (uint32), then the bytes. */
  whole: 3,
  /** Node → service: 0 or 1 (the store can have seen the statement), then the fault (FaultJson). Nothing else was sent. */
  refused: 4,
  /** Node → service: the answer is large, or comes slowly. It waits for a request to NODE_PATHS.queryRest. */
  apart: 5,
} as const
/** The largest answer, and the largest order, that travels on a trunk: what stands behind it waits so long. */
export const TRUNK_BYTES = 64 << 10
export const QueryRest = z.object({ query: QueryId })

export const StoreOrder = z.object({ store: StoreRef })
export const BrowseOrder = z.object({ store: StoreRef, path: z.string().max(4_096) })

/** Where both bodies of a stream are a connection's bytes, the order stands in this header: JSON, base64url. */
export const ORDER_HEADER = 'postern-order'
/** As PostgreSQL has it for a startup packet. */
export const STARTUP_BYTES = 10_000
const Word = z.string().max(STARTUP_BYTES)
/**
 * The node may dial a connection of its own for the session's bytes: `GET` DATA_PATH with `Upgrade: postern-data`, signed like the link, with
 * the ticket, which is good once, for this node, while the session is being opened. It says in its answer (DATA_HEADER) that it did; the
 * stream of the link then only carries the end of each direction: how many bytes there were (8 bytes, big-endian).
 */
const Ticket = z.string().max(64).optional()
export const DATA_PATH = '/v1/node/data'
export const DATA_PROTOCOL = 'postern-data'
export const TICKET_HEADER = 'postern-ticket'
export const DATA_HEADER = 'postern-data'
export const WireOrder = z.object({
  session: SessionId,
  store: StoreRef,
  /** What the client said at its start (application_name, client_encoding, options, ...), without user and database. */
  parameters: z.record(Word, Word),
  ticket: Ticket,
})
export type WireOrder = z.infer<typeof WireOrder>
/** Asks the store to stop what runs in a session. */
export const WireCancel = z.object({ session: SessionId })
export const ConnectOrder = z.object({ session: SessionId, store: StoreRef, ticket: Ticket })
export type ConnectOrder = z.infer<typeof ConnectOrder>

/** `GET /v1/stores/{store}/connect` with `Upgrade:` this (raw) or `Upgrade: websocket` (subprotocol of the same name). */
export const CONNECT_PROTOCOL = 'postern-tcp'

/** Sent with a refusal: whether the store can have seen the statement. `before-store` is safe to try elsewhere, whatever it says. */
export const STAGE_HEADER = 'postern-stage'
export type Stage = 'before-store' | 'in-store'

/** Response trailers of a query: rows sent, and the fault (FaultJson, base64url) that cut it short after its first byte. */
export const QUERY_TRAILERS = { rows: 'postern-rows', fault: 'postern-fault' } as const

/** Service → node, on a dispatch through the service because the channel is broken. */
export const RelayDispatch = z.object({ worker: NodeId, order: z.unknown() })

// ── the gateway's key goes from node to node (docs/adr/0016) ───────────────────────────────────────
const Key32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const Signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/)
export const HandOverChallenge = z.object({ challenge: z.string().max(200) })
/** Who asks proves who it is (its own key, known to the service), and that it may have what it asks for. */
export const HandOverRequest = z.object({
  challenge: z.string().max(200),
  /** X25519 public key, made for this request: the answer is sealed to it. */
  ephemeral: Key32,
  /** The gateway's public key whose private half is wanted. */
  wanted: Key32,
  /** Of the whole request (handOverText), with the node's Ed25519 identity. */
  identitySignature: Signature,
  proof: z.discriminatedUnion('by', [
    /** It joined with this authentication key: signed with the hand-over secret that only people and nodes with the key have. */
    z.object({ by: z.literal('auth-key'), verifier: Key32, signature: Signature }),
    /** It holds an older key of the gateway, or the one before the wanted: the answer can be opened with that only. */
    z.object({ by: z.literal('held-key'), publicKey: Key32 }),
  ]),
})
export type HandOverRequest = z.infer<typeof HandOverRequest>
/** HPKE to the ephemeral key; with proof `held-key` sealed to that key first. */
export const HandOverAnswer = z.object({ sealed: z.string().max(2_048) })

/** Public halves of the key of today, and of the one to come. */
export const PrepareKey = z.object({ from: Key32, wanted: Key32 })
/**
 * `challenge`: 32 bytes that who asked for the rotation sealed to the key that it knows (client/rotation.ts). `online`: the nodes that the
 * service has heard lately; of one that has just come the other nodes do not know yet. Left out by an older service.
 */
export const RotateOrder = z.object({ challenge: z.string().max(512).optional(), online: z.array(NodeId).max(1_000).optional() })
export const RotateAnswer = z.object({
  publicKey: Key32,
  /** HMAC of the new public key under the challenge: only who held the old key could open that. */
  proof: z.string().max(64).optional(),
  /** Credentials that are sealed to the new key now. */
  resealed: z.int(),
  /** Names of stores whose credential could be opened neither before nor now. */
  unreadable: z.array(z.string()).max(10_000),
})
export type RotateAnswer = z.infer<typeof RotateAnswer>

/** What is signed: all that the request is about. */
export function handOverText(parts: {
  readonly gateway: string
  readonly asker: string
  readonly holder: string
  readonly challenge: string
  readonly ephemeral: string
  readonly wanted: string
  readonly proof: string
}): string {
  const { gateway, asker, holder, challenge, ephemeral, wanted, proof } = parts
  return JSON.stringify(['postern/hand-over/v1', gateway, asker, holder, challenge, ephemeral, wanted, proof])
}

/**
 * Calls of a node to the service: HTTPS, JSON, `Authorization: PosternNode <JWT>` signed with the node's Ed25519 key
 * (EdDSA; claims iss = node id, htm, htu = path, bh = base64url SHA-256 of the body, iat). Paths:
 */
export const SERVICE_PATHS = {
  /** JoinRequest → JoinResponse. The only one without a signature: the key is the proof. */
  join: '/v1/node/join',
  beat: '/v1/node/beat',
  goodbye: '/v1/node/goodbye',
  /** The node is uninstalled or moves to another gateway: it is deleted. */
  leave: '/v1/node/leave',
  gatewayKey: '/v1/node/gateway-key',
  /** RecoverySeal → 204, or GATEWAY_KEY_ROTATED. GET → RecoverySeal, or RECOVERY_KEY_MISSING. */
  recovery: '/v1/node/recovery',
  /** GET → RotationFacts. RotationSwitch → RotationSwitched, or GATEWAY_KEY_ROTATED. */
  rotation: '/v1/node/rotation',
  /** GET → HandOverFacts: what a node that is asked for the gateway's key holds the request against. */
  handOver: (asker: NodeId) => `/v1/node/hand-over/${asker}`,
  certificate: '/v1/node/certificate',
  pull: '/v1/node/pull',
  relayDispatch: '/v1/node/relay-dispatch',
  /** BridgeAsked → frames (bridge.ts). */
  bridge: '/v1/node/bridge',
  /** StoresAsked → StoresAnswer. */
  stores: '/v1/node/stores',
  /** GET → NodeStore. */
  store: (id: StoreId) => `/v1/node/stores/${id}`,
  attempt: (task: string, attempt: number, step: 'started' | 'progress' | 'finished') =>
    `/v1/node/tasks/${task}/attempts/${attempt}/${step}`,
} as const
export const NODE_AUTH_SCHEME = 'PosternNode'
