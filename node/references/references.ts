import type { Clock } from '@postern/base/clock.ts'
import { Secret } from '@postern/base/log.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { parseReference, type Reference, referredSetting } from '@postern/protocol/reference.ts'
import type { Environment } from '../calls/proxy.ts'
import { checkReference, type ReferenceRules, referenceRules } from './reference-rules.ts'
import { secretFromFile } from './secret-files.ts'
import { VaultClient } from './vault-client.ts'

interface ReferencesParts {
  readonly environment: Environment
  /** Where `file:` looks. */
  readonly folder: string
  /** Of this node: faults say where the reference was looked for. */
  readonly nodeName: () => string
  /** Why a token for Vault that the node was given could not be kept alive. */
  readonly whyOver?: () => string | undefined
  readonly clock: Clock
}

type Secrets = Readonly<Record<string, Secret>>
type Fields = Readonly<Record<string, unknown>>

/** Puts secrets in the place of references to them. What it reads it does not keep: the open store does, for as long as the rules say. */
export class References {
  readonly #parts: ReferencesParts
  readonly #rules: ReferenceRules
  readonly #vault: VaultClient

  constructor(parts: ReferencesParts) {
    this.#parts = parts
    this.#rules = referenceRules(parts.environment)
    this.#vault = new VaultClient(parts)
  }

  /** So long what was read is used without another look. */
  get lifeMs(): number {
    return this.#rules.lifeMs
  }

  /** Secrets that are none are left as they are. `audience`: where the secrets will go. */
  async resolve(secrets: Secrets, audience: StoreSettings, signal: AbortSignal): Promise<Secrets> {
    const reads = new Map<string, Promise<Fields>>()
    const found = Object.entries(secrets).map(async ([name, secret]): Promise<readonly [string, Secret]> => {
      const setting = referredSetting(name)
      if (setting === undefined) return [name, secret]
      return [setting, await this.#find(secret.reveal(), audience, reads, signal)]
    })
    return Object.fromEntries(await Promise.all(found))
  }

  async #find(text: string, audience: StoreSettings, reads: Map<string, Promise<Fields>>, signal: AbortSignal): Promise<Secret> {
    const reference = parseReference(text)
    // Not the text: it may be a secret that was given in the wrong place.
    if (!reference) throw this.#named(new Fault('REFERENCE_INVALID'))
    try {
      checkReference(reference, audience, this.#rules)
      const value = await this.#read(reference, reads, signal)
      if (value === '') throw new Fault('REFERENCE_MISSING', { at: `(${text} is empty)` })
      return new Secret(value)
    } catch (cause) {
      throw this.#named(Fault.from(cause))
    }
  }

  async #read(reference: Reference, reads: Map<string, Promise<Fields>>, signal: AbortSignal): Promise<string> {
    const { environment, folder } = this.#parts
    switch (reference.is) {
      case 'env': {
        const value = environment[reference.name]
        if (value === undefined) throw new Fault('REFERENCE_MISSING', { at: `(env:${reference.name})` })
        return value
      }
      case 'file':
        return secretFromFile(folder, reference.path)
      case 'vault': {
        const reading = reads.get(reference.path) ?? this.#vault.read(reference.path, signal)
        reads.set(reference.path, reading)
        return fieldOf(await reading, reference)
      }
      default:
        return reference satisfies never
    }
  }

  #named(fault: Fault): Fault {
    const named = new Fault(fault.code, { remedy: fault.remedy, details: fault.details, cause: fault })
    named.message = `${fault.message} (node ${this.#parts.nodeName()})`
    return named
  }
}

function fieldOf(fields: Fields, { path, field }: { readonly path: string; readonly field: string }): string {
  const value = Object.hasOwn(fields, field) ? fields[field] : undefined
  if (value === undefined || value === null) throw new Fault('REFERENCE_MISSING', { at: `(vault:${path} has no field ${field})` })
  if (typeof value === 'object') throw new Fault('REFERENCE_INVALID', { at: `(the field ${field} of vault:${path} is no text)` })
  return String(value)
}
