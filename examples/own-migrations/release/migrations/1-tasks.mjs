export class Tasks1760000000001 {
  name = 'tasks1760000000001'

  async up(runner) {
    await runner.query('create table tasks (id bigint generated always as identity primary key, title text not null)')
  }

  async down(runner) {
    await runner.query('drop table tasks')
  }
}
