import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { newId, type PersonId } from '@postern/protocol/ids.ts'
import type { Kysely } from 'kysely'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Db } from '../db/database.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import { roleFor, type Visitor } from './oidc-claims.ts'
import type { ProviderRow } from './oidc-repository.ts'
import type { Role } from './permissions.ts'
import { PersonRepository, type PersonRow } from './person-repository.ts'

const MOST_NAMESAKES = 1_000
const TRIES = 5

export interface OidcPeopleParts {
  readonly db: Kysely<Tables>
  readonly audit: AuditLog
  readonly random: Random
  /** Memberships in groups of ours that are called as the provider's. */
  readonly setGroups: (person: PersonId, names: readonly string[], db: Db) => Promise<void>
}

/** People as their provider knows them, kept as accounts of ours: by issuer and subject, never by a name or an address that could be another's. */
export class OidcPeople {
  readonly #parts: OidcPeopleParts

  constructor(parts: OidcPeopleParts) {
    this.#parts = parts
  }

  /** Fails with OIDC_NOT_ADMITTED. */
  async admit(provider: ProviderRow, visitor: Visitor, address: string): Promise<PersonRow> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#parts.db.transaction().execute((transaction) => this.#admit(provider, visitor, address, transaction))
      } catch (cause) {
        // Two who come for the first time at the same moment: the other one has the name, or is the same person.
        if (tries < TRIES && (violates(cause, 'person_name_unique') || violates(cause, 'person_subject_unique'))) continue
        if (cause instanceof Fault && cause.code === 'OIDC_NOT_ADMITTED') await this.#refused(provider, visitor, address, cause)
        throw cause
      }
    }
  }

  async #admit(provider: ProviderRow, visitor: Visitor, address: string, transaction: Db): Promise<PersonRow> {
    const { setGroups } = this.#parts
    const people = new PersonRepository(transaction)
    const known = await people.findBySubject(provider.issuer, visitor.subject)
    const role = roleFor(visitor, provider, known?.role)
    if (known?.disabled) throw new Fault('OIDC_NOT_ADMITTED', { at: 'The account is disabled.' })
    if (role === undefined) throw new Fault('OIDC_NOT_ADMITTED')
    const { displayName, email } = visitor
    const person = known
      ? await people.change(known.id, { displayName, email, role })
      : await this.#make(provider, visitor, role, address, transaction)
    if (!person) throw new Fault('OIDC_NOT_ADMITTED')
    if (known && known.role !== role) await this.#roleChanged(provider, person, address, transaction)
    await setGroups(person.id, visitor.groups, transaction)
    return person
  }

  async #make(provider: ProviderRow, visitor: Visitor, role: Role, address: string, transaction: Db): Promise<PersonRow> {
    const { audit, random } = this.#parts
    const { subject, displayName, email } = visitor
    const people = new PersonRepository(transaction)
    const person = await people.add({
      id: newId<PersonId>('per', (count) => random.bytes(count)),
      name: await freeName(visitor.name, people),
      displayName,
      email,
      role,
      createdBy: `oidc ${provider.name}`,
      from: { issuer: provider.issuer, subject },
    })
    const target = `person ${person.name}`
    await audit.record({ who: `oidc ${provider.name}`, action: 'person.create', target, ip: address, details: { role } }, transaction)
    return person
  }

  async #roleChanged({ name }: ProviderRow, person: PersonRow, address: string, transaction: Db): Promise<void> {
    const target = `person ${person.name}`
    const entry = { who: `oidc ${name}`, action: 'person.change', target, ip: address, details: { role: person.role } }
    await this.#parts.audit.record(entry, transaction)
  }

  async #refused({ name }: ProviderRow, visitor: Visitor, address: string, fault: Fault): Promise<void> {
    const details = { provider: name, visitor: visitor.name, why: fault.message }
    await this.#parts.audit.record({
      who: 'nobody',
      action: 'sign-in.refused',
      target: 'person unknown',
      ip: address,
      outcome: 'refused',
      details,
    })
  }
}

/** The name; or with a number behind it where somebody has it. */
async function freeName(wanted: string, people: PersonRepository): Promise<string> {
  for (let number = 1; number <= MOST_NAMESAKES; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`
    if (!(await people.find(name))) return name
  }
  throw new Fault('PERSON_EXISTS', { at: wanted })
}
