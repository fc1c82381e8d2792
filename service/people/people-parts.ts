/** Accounts, sign-ins and OpenID Connect as a list of parts. */
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import type { PersonId } from '@postern/protocol/ids.ts'
import type { Kysely } from 'kysely'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Db } from '../db/database.ts'
import type { Tables } from '../db/tables.ts'
import type { Routes } from '../http/http-server.ts'
import type { Callers } from '../rights/callers.ts'
import { GrantRepository } from '../rights/grant-repository.ts'
import { ownRights } from '../rights/own-rights.ts'
import { roleRoutes } from '../rights/role-routes.ts'
import { AddressRate } from '../sign-in/address-rate.ts'
import { OidcClient } from '../sign-in/oidc-client.ts'
import { OidcPeople } from '../sign-in/oidc-people.ts'
import { OidcRepository } from '../sign-in/oidc-repository.ts'
import { oidcRoutes } from '../sign-in/oidc-routes.ts'
import type { SecretPlaces } from '../sign-in/oidc-secret.ts'
import { OidcService } from '../sign-in/oidc-service.ts'
import { PasswordHasher } from '../sign-in/password-hash.ts'
import { SignInRepository } from '../sign-in/sign-in-repository.ts'
import { signInRoutes } from '../sign-in/sign-in-routes.ts'
import { SignInService } from '../sign-in/sign-in-service.ts'
import { SignInThrottle } from '../sign-in/sign-in-throttle.ts'
import { Credentials } from '../tokens/credentials.ts'
import type { TokenService } from '../tokens/token-service.ts'
import { GroupRepository } from './group-repository.ts'
import { PersonRepository } from './person-repository.ts'
import { personRoutes } from './person-routes.ts'
import { PersonService } from './person-service.ts'

/** Beginnings of sign-ins through a provider, a minute and address: an office behind one address is let through, a flood is not. */
const OIDC_PER_MINUTE = 120

export interface PeopleNeeds {
  readonly db: Kysely<Tables>
  readonly audit: AuditLog
  readonly tokens: TokenService
  readonly callers: Callers
  readonly secrets: SecretPlaces
  /** How people reach the service. */
  readonly publicUrl: () => string
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

export function buildPeople({ db, audit, tokens, callers, secrets, publicUrl, log, clock, random }: PeopleNeeds) {
  const hasher = new PasswordHasher(random)
  const throttle = new SignInThrottle(clock)
  const signIns = new SignInService({ db, hasher, throttle, audit, callerFor: (person) => callers.callerFor(person), clock, random })
  const people = new PersonService({
    db,
    hasher,
    audit,
    random,
    ended: (person) => signIns.forgetPerson(person),
    forget: (person, transaction) => new GrantRepository(db).forget(person, transaction),
  })
  const credentials = new Credentials({ tokens, signIns, publicUrl })
  const providers = new OidcRepository(db)
  const setGroups = async (person: PersonId, names: readonly string[], transaction: Db) => {
    await new GroupRepository(db).setMemberships(person, names, 'oidc', transaction)
  }
  const oidc = new OidcService({
    db,
    client: new OidcClient({ secrets, clock, log }),
    people: new OidcPeople({ db, audit, random, setGroups }),
    signIns,
    rate: new AddressRate(clock, OIDC_PER_MINUTE),
    publicUrl,
    random,
  })
  const accounts = new PersonRepository(db)
  const ways = async () => ({
    firstPerson: !(await accounts.any()),
    providers: (await providers.list()).map(({ name, title }) => ({ name, title: title || name })),
  })
  const routes: readonly Routes[] = [
    personRoutes({ people, signIns, groupsOf: (person) => new GroupRepository(db).groupsOf(person) }),
    signInRoutes({
      db,
      signIns,
      repository: new SignInRepository(db),
      audit,
      ways,
      rightsOf: (caller) => ownRights(caller, db),
      publicUrl,
    }),
    roleRoutes,
    oidcRoutes({ db, oidc, repository: providers, audit, publicUrl }),
  ]
  return { credentials, routes, repository: accounts }
}
