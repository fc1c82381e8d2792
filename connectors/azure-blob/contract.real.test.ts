import { connectorContract } from '@postern/testkit/connector-contract.ts'
import { azurite } from '@postern/testkit/object-store.ts'
import { objectRig } from '../objects/testing/object-rig.ts'
import { azureBlob } from './index.ts'

/** The suite once for each layout: in folders, and in single objects. */
for (const ending of ['.parquet/', '.csv/', '.csv.zst', '.ndjson.gz/', '.tsv']) {
  connectorContract(`Azure Blob Storage as ${ending}`, () => objectRig(azureBlob, azurite, ending), azureBlob)
}
