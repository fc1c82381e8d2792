/** The engine's numbers; sizes in bytes, times in milliseconds. */
export const ENGINE_LIMITS = {
  /** Progress of a part is told at most this often. */
  progressMs: 200,
  /** A part of this size takes seconds: small enough to try again and to spread, large enough that starting it costs nothing. */
  partBytes: 128 << 20,
  /** Where the source knows rows but not bytes. */
  partRows: 1_000_000,
  /** The most parts that size alone gives; more only when asked for. */
  partsBySize: 256,
  /** A snapshot holds back the source's clean-up: whatever the service says, it is closed after so long. */
  snapshotMs: 86_400_000,
  /** Parts looked at one by one after a verification has failed. */
  partsExamined: 64,
  /** What the protocol takes of texts. */
  notes: 100,
  noteLength: 1_000,
  nameLength: 500,
  messageLength: 8_192,
  remedyLength: 2_048,
} as const
