import { groundCases } from './ground-cases.js'
groundCases('busybox sh')
