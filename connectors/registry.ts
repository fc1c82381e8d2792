import { azureBlob } from './azure-blob/index.ts'
import type { Connector } from './contract.ts'
import { files } from './files/index.ts'
import { mysql } from './mysql/index.ts'
import { postgres } from './postgres/index.ts'
import { s3 } from './s3/index.ts'

/** Every kind of store there is; the service knows them by their declarations only. */
export const CONNECTORS: ReadonlyMap<string, Connector> = new Map(
  [postgres, mysql, files, s3, azureBlob].map((connector) => [connector.kind, connector]),
)
