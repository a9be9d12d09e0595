export class Done1760000000002 {
  name = 'done1760000000002'

  async up(runner) {
    await runner.query('alter table tasks add column done timestamptz')
  }

  async down(runner) {
    await runner.query('alter table tasks drop column done')
  }
}
