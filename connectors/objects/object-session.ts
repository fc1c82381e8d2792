import type { OpenOptions } from '../contract.ts'
import { PlaceSession } from '../files/session.ts'
import type { FileSettings } from '../files/settings.ts'
import type { Bucket } from './bucket.ts'
import { ObjectPlace } from './object-place.ts'
import { ScratchCopies } from './scratch-copies.ts'
import type { ObjectSettings } from './settings.ts'

/** The files of a bucket or container. */
export class ObjectSession extends PlaceSession {
  readonly #bucket: Bucket

  constructor(config: FileSettings & ObjectSettings, options: Pick<OpenOptions, 'scratch'> & { readonly pipes?: boolean }, bucket: Bucket) {
    super(config, options, (scratch) => new ObjectPlace(bucket, config.prefix, new ScratchCopies(scratch, config.scratchMb * 1e6)))
    this.#bucket = bucket
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    this.#bucket.close()
  }
}
