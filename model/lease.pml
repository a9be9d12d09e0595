/* The lease and the jobs on a host, as src/host/lease.sh and jobs.sh with src/adapters/host/{lease,jobs}.ts keep them.
 * A run is one identity; its attempts share its history, so a slow one is a ghost. A do and an undo are one job each, of
 * two effects: the first by the command, the second by a child that has left its group, as `docker exec` has. A script
 * on the host is a run with one attempt and no history: dead, it is over at once. docs/model.md says how to read this. */
#ifndef RUNS
#define RUNS 2     /* bound: runs */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 1 /* bound: attempts of the first run at once; the others have one */
#endif
#ifndef DEATHS
#define DEATHS 0   /* bound: attempts that die */
#endif
#ifndef KILLS
#define KILLS 0    /* bound: kills of a job's runner alone */
#endif
#ifndef CLOSES
#define CLOSES 0   /* bound: terminations of the first run */
#endif
#ifndef EXPIRES
#define EXPIRES 0  /* bound: take-overs of a lease that was not renewed, while its holder lives */
#endif
#ifndef LEAVES
#define LEAVES 0   /* bound: steps of the first run that are given up while nobody knows how they end */
#endif
#ifndef CHANGES
#define CHANGES 0  /* bound: later steps that change what the first one's post-condition looks at */
#endif
#ifndef PREEMPTS
#define PREEMPTS 0 /* bound: set of runs (bits) that are rollbacks: they take over what waits at a gate */
#endif
#ifndef SCRIPTS
#define SCRIPTS 0  /* bound: set of runs (bits) that are the script of a restore point */
#endif
#ifndef UNDOES
#define UNDOES 1   /* bound: whether a run may undo its step */
#endif
#ifndef GUARDS
#define GUARDS 0   /* bound: set of runs (bits) that are guards: they take the lease twice, without a job of their own */
#endif
#ifndef GENS
#define GENS 2     /* bound: generations of a job */
#endif
#ifndef SPAWNS
#define SPAWNS 2   /* bound: runners started for a job */
#endif

#ifndef LINKFIRST
#define LINKFIRST 1  /* rule: a runner links its claim, then looks at the token */
#endif
#ifndef SWEEPAFTER
#define SWEEPAFTER 1 /* rule: a taker links its number, then ends older jobs */
#endif
#ifndef SWEEP
#define SWEEP 2      /* rule: a job is ended by its group, not by its runner's number */
#endif
#ifndef ENDLAST
#define ENDLAST 1    /* rule: what left the group is ended once more when the group is empty */
#endif
#ifndef RESCAN
#define RESCAN 1     /* rule: a taker that finds itself ends older jobs again */
#endif
#ifndef REL
#define REL 1        /* rule: a release that comes too late is told so */
#endif
#ifndef RELSWEEP
#define RELSWEEP 1   /* rule: a release ends what still lives of its run */
#endif
#ifndef IDALL
#define IDALL 1      /* rule: one identity acquires once */
#endif
#ifndef IDORDER
#define IDORDER 1    /* rule: the highest number is read before one looks for oneself */
#endif
#ifndef GUARDRUN
#define GUARDRUN 1   /* rule: a guard that gave the lease back goes on as a new run */
#endif
#ifndef NAMEGEN
#define NAMEGEN 1    /* rule: a generation is asked for by number, behind one that was judged */
#endif
#ifndef VERDICT
#define VERDICT 1    /* rule: a lost generation is judged once */
#endif
#ifndef SEAL
#define SEAL 1       /* rule: an undo forbids its do, then ends it (0: only ends it, 2: only forbids it) */
#endif

#define MAX 8
#define JOBS (2 * RUNS)
#define J(j, g) ((j) * GENS + (g) - 1)
#define bit(set, r) (((set) >> (r)) & 1)

mtype = { TAKE, DO, UNDO, END, DONE, FENCED, CLOSED, DEAD }
#define EXITED 1
#define FAILED 2
#define REFUSED 3 /* by the token */
#define CANCELLED 4
#define LOST 5
#define HELD 1 /* the post-condition of a lost job */
#define AGAIN 2

/* lease/t.N: who holds it, or who gave it back */
byte top, holder[MAX + 1], freedBy[MAX + 1];
/* the highest number that names a run */
byte named[RUNS];
/* in Temporal's history */
mtype phase[RUNS] = TAKE;
byte token[RUNS];

/* jobs/<id>/ */
byte claims[JOBS], spawned[JOBS];
bool cancel[JOBS];
byte by[JOBS * GENS], exits[JOBS * GENS], verdict[JOBS * GENS];
bool started[JOBS * GENS], runner[JOBS * GENS], command[JOBS * GENS], child[JOBS * GENS];

/* what the do has changed, in two parts */
bool half[2 * RUNS];

/* for the properties alone */
byte fence, acted, links[RUNS];
bool accepted[RUNS], undone[RUNS], denied[JOBS * GENS], bounded;

byte deaths = DEATHS, kills = KILLS, closes = CLOSES, expires = EXPIRES, leaves = LEAVES, changes = CHANGES;
bool again[RUNS];

#define over(r) (phase[r] == DONE || phase[r] == FENCED || phase[r] == CLOSED || phase[r] == DEAD)

inline end(x, how) {
  if
  :: exits[x] == 0 -> exits[x] = how
  :: else
  fi
}

/* an effect of a job: the properties of lease and jobs */
inline effect(k) {
  assert(t >= fence);        /* none of a token behind the return of a later one's take-over */
  assert(t >= acted);        /* those of two runs never mix */
  acted = t;
  assert(phase[r] != DONE);  /* none once the lease was given back */
  if
  :: j % 2 == 0 ->
     assert(!undone[r]);     /* none behind the undo */
     assert(!accepted[r]);   /* none again of what is done */
     assert(g == 1 || !started[x - 1] || denied[x - 1]);
     half[2 * r + k] = true
  :: else ->
     undone[r] = true;
     half[2 * r + k] = false
  fi
}

proctype Runner(byte j; byte g; byte t) {
  byte x = J(j, g), r = j / 2;
  bool well = true;
#if LINKFIRST == 0
  if
  :: top != t -> goto gone
  :: else
  fi;
#endif
  atomic {
    if
    :: claims[j] >= g -> goto gone
    :: else -> claims[j] = g; by[x] = t; runner[x] = true
    fi
  }
  atomic {
    if
    :: !runner[x] -> goto gone
    :: runner[x] && cancel[j] -> end(x, CANCELLED); runner[x] = false; goto gone
    :: else
    fi
  }
#if LINKFIRST == 1
  atomic {
    if
    :: !runner[x] -> goto gone
    :: runner[x] && top != t -> end(x, REFUSED); runner[x] = false; goto gone
    :: else
    fi
  }
#endif
  atomic {
    if
    :: !runner[x] -> goto gone
    :: else -> started[x] = true
    fi
  }
  atomic {
    if
    :: !runner[x] -> goto gone
    :: else -> command[x] = true
    fi
  }
  atomic {
    if
    :: command[x] -> effect(0)
    :: else -> well = false
    fi
  }
  atomic {
    if
    :: command[x] -> child[x] = true
    :: else -> well = false
    fi
  }
  atomic {
    if
    :: child[x] -> effect(1); child[x] = false
    :: runner[x] && !command[x] -> child[x] = false; well = false /* what the runner does after a command that failed */
    :: !child[x] -> well = false
    fi
  }
  atomic {
    command[x] = false;
    if
    :: !runner[x] -> goto gone
    :: runner[x] && well -> end(x, EXITED)
    :: runner[x] && !well && cancel[j] -> end(x, CANCELLED)
    :: else -> end(x, FAILED)
    fi;
    runner[x] = false
  }
gone:
  skip
}

/* end_job: what left the group, the group until it is empty, what left it meanwhile, the exit */
inline endJob(y, how) {
  child[y] = false;
  do
  :: atomic { command[y] -> command[y] = false } /* TERM: the runner lives to record it */
#if SWEEP == 2
  :: atomic { (runner[y] || command[y]) -> runner[y] = false; command[y] = false } /* KILL */
  :: atomic { !runner[y] && !command[y] -> break }
#else
  :: atomic { runner[y] -> runner[y] = false; command[y] = false }
  :: atomic { !runner[y] -> break }
#endif
  od;
#if ENDLAST == 1
  child[y] = false;
#endif
  end(y, how)
}

/* an attempt dies and its run tries again; the script has no history */
#define mayDie \
  if \
  :: atomic { deaths > 0 -> deaths--; if :: bit(SCRIPTS, r) -> phase[r] = DEAD :: else fi; goto begin } \
  :: skip \
  fi

inline sweep(u) {
  k = 0;
  do
  :: k < JOBS ->
     if
     :: claims[k] > 0 && by[J(k, claims[k])] < u && exits[J(k, claims[k])] == 0 ->
        x = J(k, claims[k]);
        endJob(x, CANCELLED);
        mayDie
     :: else
     fi;
     k++
  :: else -> break
  od;
  k = 0
}

#define follows(j, g) \
  (g == 1 || NAMEGEN == 0 || (claims[j] == g - 1 && (VERDICT == 0 || verdict[J(j, g - 1)] == AGAIN || \
  (verdict[J(j, g - 1)] == 0 && !runner[J(j, g - 1)] && !started[J(j, g - 1)] && exits[J(j, g - 1)] == 0))))

proctype Attempt(byte r) {
  byte n, us, judged, t, j, g, x, v, k;
  bool b;
begin:
  atomic {
    n = 0; us = 0; judged = 0; t = token[r]; j = 0; g = 1; x = 0; v = 0; k = 0; b = false;
    if
    :: phase[r] == TAKE -> goto take
    :: phase[r] == DO -> j = 2 * r; goto start
    :: phase[r] == UNDO -> j = 2 * r + 1; goto seal
    :: phase[r] == END -> goto release
    :: else -> goto gone
    fi
  }

take:
#if IDORDER == 1
  n = top;
  us = named[r];
#else
  us = named[r];
  n = top;
#endif
  atomic {
    if
    :: us > n -> goto take
    :: us == n && n > 0 && holder[n] == r + 1 -> t = n; goto found
#if IDALL == 1
    :: us > 0 && us <= n && !(us == n && holder[n] == r + 1) ->
       assert(phase[r] != TAKE || n > us); /* fenced is only who was taken over */
       if
       :: phase[r] == TAKE -> phase[r] = FENCED
       :: else
       fi;
       goto begin
#endif
    :: (us == 0 || IDALL == 0) && !(us == n && holder[n] == r + 1) && us <= n ->
       if
       :: holder[n] == 0 || judged == n -> skip
       :: holder[n] != 0 && judged != n -> goto judge
       fi
    fi
  }
#if SWEEPAFTER == 0
  sweep(n + 1);
#endif
  atomic {
    if
    :: top == n && n < MAX -> top = n + 1; holder[top] = r + 1; named[r] = top; links[r]++; t = top
    :: top == n && n == MAX -> bounded = true; goto gone
    :: else -> goto take
    fi
  }
  mayDie;
  goto fresh;
found:
#if RESCAN == 0
  goto taken;
#endif
fresh:
#if SWEEPAFTER == 1
  sweep(t);
#endif
taken:
  atomic {
    if
    :: t > fence -> fence = t
    :: else
    fi;
    assert(links[r] <= 1);
    if
    :: phase[r] == TAKE -> token[r] = t; if :: bit(GUARDS, r) -> phase[r] = END :: else -> phase[r] = DO fi
    :: else
    fi;
    goto begin
  }

  /* whether the lease of number n may be taken from its holder; else one waits */
judge:
  atomic {
    if
    :: over(holder[n] - 1) -> judged = n
    :: !over(holder[n] - 1) && bit(PREEMPTS, r) && !bit(PREEMPTS, holder[n] - 1) -> judged = n
    :: !over(holder[n] - 1) && expires > 0 && !runner[J(2 * (holder[n] - 1), 1)] && !command[J(2 * (holder[n] - 1), 1)] ->
       expires--; judged = n
    :: top != n
    :: phase[r] != TAKE -> goto begin
    :: timeout && bounded -> goto gone /* its holder has come to a bound, and waits for ever */
    fi;
    goto take
  }

seal:
#if SEAL != 0
  cancel[j - 1] = true;
#endif
#if SEAL != 2
  if
  :: claims[j - 1] > 0 && exits[J(j - 1, claims[j - 1])] == 0 -> x = J(j - 1, claims[j - 1]); endJob(x, CANCELLED)
  :: else
  fi;
  mayDie;
#endif

start:
  atomic {
    if
    :: claims[j] >= g || !follows(j, g) -> g = claims[j]
    :: claims[j] < g && follows(j, g) && spawned[j] < SPAWNS -> spawned[j]++; run Runner(j, g, t)
    :: claims[j] < g && follows(j, g) && spawned[j] >= SPAWNS -> bounded = true; goto gone
    fi;
    x = J(j, g)
  }
wait:
  atomic {
    if
    :: exits[x] != 0 -> goto read
    :: exits[x] == 0 && claims[j] < g && spawned[j] < SPAWNS && ATTEMPTS == 1 -> goto start /* unclaimed for long */
    :: timeout && claims[j] < g -> bounded = true; goto gone
    :: exits[x] == 0 && claims[j] >= g && !runner[x] && !started[x] -> /* unstarted */
       g++;
       if
       :: g <= GENS -> goto start
       :: else -> bounded = true; goto gone
       fi
    :: exits[x] == 0 && claims[j] >= g && !runner[x] && started[x]
    fi
  }
  if
  :: cancel[j] -> endJob(x, CANCELLED)
  :: else -> endJob(x, LOST)
  fi;
read:
  v = exits[x];
  mayDie;
  atomic {
    if
    :: v == EXITED -> goto done
    :: v != EXITED && (v == REFUSED || top != by[x]) ->
       if
       :: (phase[r] == DO && j % 2 == 0) || (phase[r] == UNDO && j % 2 == 1) -> phase[r] = FENCED
       :: else
       fi;
       goto begin
    :: (v == FAILED || v == CANCELLED) && top == by[x] ->
       if
       :: phase[r] == DO && j % 2 == 0 && UNDOES -> phase[r] = UNDO
       :: phase[r] == DO && j % 2 == 0 && !UNDOES -> phase[r] = END
       :: phase[r] == UNDO && j % 2 == 1 -> phase[r] = END
       :: else
       fi;
       goto begin
    :: v == LOST && top == by[x]
    fi;
    b = ((j % 2 == 0 && half[2 * r] && half[2 * r + 1]) || (j % 2 == 1 && !half[2 * r] && !half[2 * r + 1]));
#if VERDICT == 1
    if
    :: verdict[x] != 0 -> b = (verdict[x] == HELD)
    :: else
    fi
#endif
  }
  atomic {
#if VERDICT == 1
    if
    :: verdict[x] == 0 && b -> verdict[x] = HELD
    :: verdict[x] == 0 && !b -> verdict[x] = AGAIN
    :: else -> b = (verdict[x] == HELD)
    fi;
#endif
    if
    :: b -> goto done
    :: else
    fi;
    denied[x] = true;
#if NAMEGEN == 1
    g = g + 1;
#else
    g = claims[j] + 1;
#endif
    if
    :: g <= GENS -> goto start
    :: else -> bounded = true; goto gone
    fi
  }
done:
  atomic {
    if
    :: phase[r] == DO && j % 2 == 0 -> accepted[r] = true; if :: phase[r] = END :: UNDOES -> phase[r] = UNDO fi
    :: phase[r] == UNDO && j % 2 == 1 -> phase[r] = END
    :: else
    fi;
    goto begin
  }

release:
  atomic {
    if
    :: top == t && t < MAX -> top = t + 1; freedBy[top] = r + 1; named[r] = top
    :: top == t && t == MAX -> bounded = true; goto gone
    :: top > t && freedBy[t + 1] == r + 1
    :: top > t && freedBy[t + 1] != r + 1 ->
#if REL == 1
       if
       :: phase[r] == END -> phase[r] = FENCED
       :: else
       fi;
       goto begin
#endif
    fi
  }
  mayDie;
#if RELSWEEP == 1
  sweep(t + 1);
#endif
  atomic {
    assert(phase[r] != END || freedBy[t + 1] == r + 1); /* who is told that it gave the lease back did so */
    if
    :: phase[r] == END && bit(GUARDS, r) && !again[r] ->
       again[r] = true; phase[r] = TAKE;
#if GUARDRUN == 1
       named[r] = 0; links[r] = 0
#endif
    :: phase[r] == END && !(bit(GUARDS, r) && !again[r]) -> phase[r] = DONE
    :: else
    fi;
    goto begin
  }
gone:
  skip
}

proctype World() {
  byte q;
  do
  :: atomic { kills > 0 -> kills--; select(q: 0 .. JOBS * GENS - 1); runner[q] = false; q = 0 }
  :: atomic { closes > 0 && !over(0) -> closes--; phase[0] = CLOSED }
  :: atomic { leaves > 0 && phase[0] == DO -> leaves--; if :: UNDOES -> phase[0] = UNDO :: phase[0] = END fi }
  :: atomic { changes > 0 && accepted[0] && half[1] -> changes--; half[1] = false }
  :: break
  od
}

init {
  byte r, k;
  atomic {
    do
    :: r < RUNS ->
       k = 0;
       do
       :: k < (r == 0 -> ATTEMPTS : 1) -> run Attempt(r); k++
       :: else -> break
       od;
       r++
    :: else -> break
    od;
    run World()
  }
  _nr_pr == 1;
  atomic {
    r = 0;
    do
    :: r < RUNS -> assert(bounded || over(r)); r++
    :: else -> break
    od;
    assert(bounded || fence > 0 || phase[0] == CLOSED)
  }
}
