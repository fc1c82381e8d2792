/** Sign-ins that begin, end and expire in the same moment. */
import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { expect, test } from 'vitest'
import { AuditLog } from '../audit/audit-log.ts'
import { Database } from '../db/database.ts'
import { PersonRepository, type PersonRow } from '../people/person-repository.ts'
import { SignInRepository } from './sign-in-repository.ts'
import { SignInService, type SignInServiceParts } from './sign-in-service.ts'

test('people sign in while what has expired is swept and their passwords are set anew: none waits for another in a circle', {
  timeout: 60_000,
}, async () => {
  await using own = await testDatabase()
  const database = new Database({ target: () => ({ connectionString: own.url }), log: silentLog })
  await database.start()
  const { db } = database
  const people: PersonRow[] = []
  for (const name of ['ann', 'ben', 'cleo']) {
    const person = { id: `per_${name}` as PersonRow['id'], name, displayName: name, email: null, role: 'user', createdBy: 'test' } as const
    people.push(await new PersonRepository(db).add({ ...person, password: { hash: 'none', once: false } }))
  }
  // Beginning needs none of the rest: whoever it is has been proven before.
  const service = new SignInService({
    db,
    audit: new AuditLog(db),
    clock: systemClock,
    random: systemRandom,
  } as unknown as SignInServiceParts)
  const place = { address: '127.0.0.1', agent: 'test' }
  const begin = (person: PersonRow) => service.begin(person, 'password', place)
  const expire = () =>
    own.query(`update sign_in set expires_at = now() - interval '1 second' where id in (select id from sign_in for update skip locked)`)
  const reset = (person: PersonRow) =>
    db.transaction().execute(async (transaction) => {
      await new PersonRepository(transaction).setPassword(person.id, 'another', true)
      await new SignInRepository(transaction).endAll(person.id)
    })
  const again = async (work: () => Promise<unknown>) => {
    for (let round = 0; round < 60; round += 1) await work()
  }

  const works = people.flatMap((person) => [() => begin(person), () => begin(person), () => reset(person)])
  const done = await Promise.allSettled([...works, expire].map(again)).finally(() => database.stop())

  expect(done.filter(({ status }) => status === 'rejected')).toEqual([])
})
