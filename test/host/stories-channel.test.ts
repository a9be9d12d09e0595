// Where nothing can make a process group, a job stays in that of its SSH channel.
import { tellStories } from './stories.js'
tellStories('env STEPBACK_WITHOUT=setsid,perl,python3 dash')
