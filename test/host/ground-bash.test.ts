import { groundCases } from './ground-cases.js'
groundCases('bash')
