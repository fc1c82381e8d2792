/** Raised by one when an old peer could no longer understand us. See docs/protocol.md. */
export const PROTOCOL_VERSION = 1

/** Every wait, queue and message has an end. Both sides import these; all times in milliseconds, all sizes in bytes. */
export const LIMITS = {
  /** How often a node tells the service what is so. */
  beatMs: 1_000,
  /** A node that has not been heard of for so long is offline, whatever its socket says. */
  silentMs: 4_500,
  /** PING over the link: every so often, and how long the answer may take. Silent death shows in under 5 s. */
  pingMs: 1_500,
  pingTimeoutMs: 3_000,
  /** The dispatcher's lease, renewed with each beat. The holder stops by itself `leaseMarginMs` before the end. */
  leaseMs: 6_000,
  leaseMarginMs: 1_500,
  /** An attempt whose node has not reported it for so long is given to another node. */
  attemptMs: 8_000,
  /** How long the dispatcher's request for tasks is held open. */
  pullMs: 15_000,
  /** One request of a node to the service, one dispatch to another node. */
  callMs: 10_000,
  dialMs: 10_000,
  /** A signature of a node is taken within so long of its making (clocks differ). */
  proofAgeMs: 300_000,
  /** Node certificates: their life; renewed at half of it ± 10 %. */
  certificateMs: 86_400_000,
  /**
   * HTTP/2 windows. What a stream carries is at most its window each round trip: the 64 KB default gives 1 MB/s on a path of 50 ms.
   * With 100 ms there and back a result came at 38 MB/s with 8 MiB and at 68 MB/s with 16 MiB. It is also what a slow client can
   * make the service hold.
   */
  streamWindowBytes: 16 << 20,
  sessionWindowBytes: 64 << 20,
  frameBytes: 1 << 18,
  bodyBytes: 1 << 20,
  /** A statement, in UTF-16 units. */
  sqlChars: 1 << 20,
  /** An order to a node, the report of a plan: both may hold all parts of a plan, a few KB each. */
  orderBytes: 64 << 20,
  /** The most tasks one plan may have. */
  planTasks: 10_000,
} as const
