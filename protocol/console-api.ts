/** What the configuration manager of a node (node/console) says and is asked: by its page and by `postern node status` on the same machine. */
import { z } from 'zod'
import { Name, NodeId, StoreId } from './ids.ts'

const Fault = z.object({ code: z.string(), message: z.string(), remedy: z.string() })

/** `GET /status`: nothing secret, for whoever is on the machine. */
export const NodeFacts = z.object({
  name: Name,
  gateway: Name,
  nodeId: NodeId,
  version: z.string(),
  /** What lies on the disk: another one than runs after an update, until the node is restarted. Null when it cannot be read. */
  installedVersion: z.string().nullable(),
  startedAt: z.iso.datetime(),
  /** What became of the last thing that was asked of the console before this start, where that did not work. */
  notice: z.string().nullable(),
  process: z.object({ pid: z.int(), node: z.string(), platform: z.string(), data: z.string() }),
  service: z.object({
    url: z.string(),
    /** Why the last beat was not answered. */
    fault: z.string().nullable(),
    remedy: z.string().nullable(),
    heardSecondsAgo: z.number(),
  }),
  link: z.object({
    count: z.int(),
    state: z.enum(['down', 'dialling', 'up']),
    transport: z.enum(['raw', 'websocket']).nullable(),
    since: z.iso.datetime().nullable(),
    reason: z.string().nullable(),
  }),
  /** Addresses without their passwords. `used`: by which the service was last reached; '' = straight, null = not yet. */
  proxy: z.object({ setting: z.string().nullable(), environment: z.string().nullable(), used: z.string().nullable() }),
  role: z.enum(['dispatcher', 'worker']),
  draining: z.boolean(),
  upgrading: z.boolean(),
  /** Beyond the grace period: it has ended its sessions. */
  cutOff: z.boolean(),
  gatewayKeyFingerprint: z.string().nullable(),
  /** Why it has none, where a node that has one said so. */
  gatewayKeyFault: z.string().nullable(),
  /** Whether the gateway has a recovery key; null while the service has not said. */
  recoveryKey: z.boolean().nullable(),
  /** Which state of the gateway's stores it holds; null before the first. */
  storesVersion: z.int().nullable(),
  storesBehind: z.object({ changes: z.int(), reason: z.string() }).nullable(),
  /** Stores whose credential of today it could not fetch or open. */
  staleCredentials: z.int(),
  /** Why its token for HashiCorp Vault is not kept alive. An older node does not say. */
  vaultFault: z.string().nullable().default(null),
  settingsFault: z.string().nullable(),
  channel: z.object({
    encryption: z.string(),
    accepts: z.array(z.string()).readonly(),
    /** Where the other nodes find it; null before it has reached the service. */
    address: z.string().nullable(),
    fault: z.string().nullable(),
    /** Null where the channel has none. */
    certificate: z
      .object({
        /** Renewed by itself, or the user's own. */
        from: z.enum(['service', 'own']),
        validFrom: z.iso.datetime(),
        validUntil: z.iso.datetime(),
        notice: z.string().nullable(),
      })
      .nullable(),
  }),
  runningJobs: z.int(),
  jobLimit: z.int(),
  runningQueries: z.int(),
  peers: z.array(z.object({ name: Name, online: z.boolean(), channel: z.string().nullable(), fault: z.string().nullable() })).readonly(),
})
export type NodeFacts = z.infer<typeof NodeFacts>

export const SessionRequest = z.object({ code: z.string().max(300) })
export const SessionAnswer = z.object({ session: z.string(), until: z.iso.datetime() })
export type SessionAnswer = z.infer<typeof SessionAnswer>

/** The channel to one other node, called just now. */
export const PeerTest = z.object({ name: Name, address: z.string().nullable(), durationMs: z.number(), fault: Fault.nullable() })
export type PeerTest = z.infer<typeof PeerTest>
export const PeerTests = z.object({ peers: z.array(PeerTest) })

export const ConsoleStore = z.object({
  id: StoreId,
  name: Name,
  kind: z.string(),
  version: z.int(),
  /** Why its credential cannot be used here; null when it can, or was not used yet. */
  fault: z.string().nullable(),
})
export type ConsoleStore = z.infer<typeof ConsoleStore>
/** `more`: the gateway has more than are listed. */
export const ConsoleStores = z.object({ stores: z.array(ConsoleStore), more: z.boolean() })
export type ConsoleStores = z.infer<typeof ConsoleStores>
export const StoreTestAsked = z.object({ id: StoreId })
export const StoreTested = z.object({ ok: z.boolean(), durationMs: z.number(), server: z.string().optional(), fault: Fault.optional() })
export type StoreTested = z.infer<typeof StoreTested>

/**
 * `GET /api/logs?after=SEQ&ring=RING`: JSON lines as they are logged. `ring`: whose; a process that was started anew counts from 1 again
 * and has another one. `lost`: older ones than these that are not kept any more.
 */
export const LogLines = z.object({
  ring: z.string(),
  lines: z.array(z.object({ seq: z.int(), text: z.string() })),
  last: z.int(),
  lost: z.boolean(),
})
export type LogLines = z.infer<typeof LogLines>

export const SwitchRequest = z.object({
  url: z.string().min(1).max(2_000),
  key: z.string().min(1).max(300),
  name: Name.optional(),
})
export type SwitchRequest = z.infer<typeof SwitchRequest>
/** It was understood, and begins. */
export const Asked = z.object({ asked: z.enum(['stop', 'restart', 'switch']) })
export type Asked = z.infer<typeof Asked>
