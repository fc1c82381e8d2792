import { connectorContract } from '@postern/testkit/connector-contract.ts'
import { s3Server } from '@postern/testkit/object-store.ts'
import { objectRig } from '../objects/testing/object-rig.ts'
import { s3 } from './index.ts'

/** The suite once for each layout: in folders, and in single objects. */
for (const ending of ['.parquet/', '.csv/', '.csv.zst', '.ndjson.gz/', '.tsv']) {
  connectorContract(`S3 as ${ending}`, () => objectRig(s3, s3Server, ending), s3)
}
