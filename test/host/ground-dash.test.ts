import { groundCases } from './ground-cases.js'
groundCases('dash')
