/** Of a node's console. Apart from console-api.ts, for its page needs no schemas. */
export const CONSOLE_PATHS = {
  status: '/status',
  session: '/api/session',
  peersTest: '/api/peers/test',
  stores: '/api/stores',
  storesTest: '/api/stores/test',
  logs: '/api/logs',
  bundle: '/api/bundle',
  stop: '/api/stop',
  restart: '/api/restart',
  switchGateway: '/api/switch',
} as const

/** What a pass is good for, and for how long: a code that opens the page, once; the page from then on; one call of the command line. */
export const PASS_MS = { code: 120_000, session: 12 * 3_600_000, call: 60_000 } as const
