import type { Connector } from './contract.ts'
import { files } from './files/index.ts'
import { postgres } from './postgres/index.ts'

/** Every kind of store there is; the service knows them by their declarations only. */
export const CONNECTORS: ReadonlyMap<string, Connector> = new Map([postgres, files].map((connector) => [connector.kind, connector]))
