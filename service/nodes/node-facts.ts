import type {
  GatewaySettings,
  Labels,
  NodeSettings,
  NodeSettingsChange,
  NodeStatus,
  SettingsChange,
} from '@postern/protocol/api/gateways.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'

export type LinkTransport = 'raw' | 'websocket'

export interface GatewayFacts {
  readonly id: GatewayId
  readonly name: string
  /** All settings, with defaults where nobody changed them. */
  readonly settings: GatewaySettings
  readonly changed: SettingsChange
  /** X25519, base64url; null until the first node made it. */
  readonly publicKey: string | null
  /** Since when there is a recovery key; null without one. */
  readonly recoveryKeyAt: Date | null
  /** Grows with each change of one of its stores. */
  readonly storesVersion: number
  readonly createdAt: Date
}

/** What is known of a node, without a look into the database. Read it anew each time: the object changes with the node. */
export interface NodeFacts {
  readonly id: NodeId
  readonly gatewayId: GatewayId
  /** The gateway's name. */
  readonly gateway: string
  readonly name: string
  /** Ed25519 public key, base64url. */
  readonly identity: string
  readonly version: string
  /** The administrator's switch. */
  readonly enabled: boolean
  /** Asked to drain by an administrator, or says so itself because it is stopping. */
  readonly draining: boolean
  /** First in the gateway's order of preference. */
  readonly isPrimary: boolean
  readonly joinedAt: Date
  /** The last one; null before the first, and after a goodbye. */
  readonly beat: Beat | null
  readonly beatAt: Date | null
  /** Infinite before the first beat and after a goodbye. */
  beatAgeMs(): number
  /** A beat within LIMITS.silentMs. */
  alive(): boolean
  /** The link to this replica, or to another one. */
  readonly link: LinkTransport | null
  /** To this replica: nobody need pass it on. */
  readonly linkedHere: boolean
  /** For how long the link has been up; 0 without one. */
  linkAgeMs(): number
  readonly jobLimit: number
  readonly jobLimitReason: string
  readonly queryLimit: number
  readonly queryLimitReason: string
  /** 0 = off. */
  readonly cpuLimitPercent: number
  readonly cpuLimitReason: string
  readonly memoryLimitPercent: number
  readonly memoryLimitReason: string
  readonly weight: number
  readonly labels: Labels
  /** In effect: the gateway's, with this node's own over them. */
  readonly settings: NodeSettings
  readonly changed: NodeSettingsChange
  /** Names the settings in effect; a node gives it back once it runs with them. */
  readonly settingsTag: string
  readonly isDispatcher: boolean
  /** As of the last sweep (every half second) or change. */
  readonly status: NodeStatus
  readonly statusReasons: readonly string[]
}

export type NodeChange = { readonly type: 'changed' | 'deleted'; readonly node: NodeFacts }
