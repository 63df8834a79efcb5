-- commit_plans: apply each plan whose job still has the version it was decided on.
--
-- uses    _told _drop _inserting
-- keys    hints
-- args    caller, number, is_repeat; now; '1' for all or none; count; for each: job id, seen version,
--         '1' to drop it, standing; runs: count, each: id, text, arguments, details ('' for
--         none); promote: count, ids; tallies: count, each: the id of the record that
--         must be new ('' for none), then as `read_tally` reads it; until when what is
--         cancelled is kept ('' for ever); cancel: count, each: run id, reason
--
-- returns text, parted by ';': 's' (stale), or the fences of the plan's runs, parted
--         by ',': 0 for a run that was not inserted as CLAIMED

local before = told_before()
if before then
  return before
end
local caller, now = ARGV[1], time_now()

local function read_plan()
  local plan = {job_id = arg(), seen = tonumber(arg()), is_drop = arg() == '1', text = arg()}
  plan.runs, plan.promote, plan.tallies, plan.cancel = {}, {}, {}, {}
  for place = 1, tonumber(arg()) do plan.runs[place] = read_run() end
  for place = 1, tonumber(arg()) do plan.promote[place] = arg() end
  for place = 1, tonumber(arg()) do plan.tallies[place] = {id = arg(), tally = read_tally()} end
  plan.cancelled_until = arg()
  for place = 1, tonumber(arg()) do plan.cancel[place] = {id = arg(), reason = arg()} end
  return plan
end

local function promote(run_id)
  local facts = run_facts(run_id)
  if facts and facts.state == 'waiting' then
    displace_run(run_id, facts)
    facts.state = 'ready'
    put_run(run_id, facts)
  end
end

-- End a run that is not claimed, mark one that is; say whether it ended.
local function cancel(run_id, reason, keep_until)
  local facts = run_facts(run_id)
  if not facts or facts.state == 'finished' then return false end
  if facts.state == 'claimed' then
    mark_cancelled(run_id, facts, reason)
    return false
  end
  displace_run(run_id, facts)
  facts.state, facts.cancel_reason, facts.keep_until = 'finished', reason, keep_until
  mark(facts, {outcome = 'cancelled', reason = reason, finished_at = text_of(now)})
  put_run(run_id, facts)
  count_tally({
    job_id = facts.job_id, outcome = 'cancelled', count = 1, kind = 'r', started = '',
    finished = text_of(now), duration = '', lateness = '', error = '',
  })
  return true
end

local function apply(plan, old_text)
  local fences, is_new = {}, {}
  if plan.is_drop then
    drop_job(plan.job_id)
    for place = 1, #plan.runs do fences[place] = '0' end
    return fences
  end
  for place, made in ipairs(plan.runs) do
    fences[place], is_new[made.id] = insert_run(made, now)
  end
  for _, run_id in ipairs(plan.promote) do promote(run_id) end
  local job = parsed(plan.text)
  write_job(plan.job_id, old_text, plan.text, job)
  for _, owed in ipairs(plan.tallies) do
    local was_there, job_id = owed.id ~= '' and not is_new[owed.id], owed.tally.job_id
    local is_known = job_id == plan.job_id or field_of(jobs, job_id)
    if not was_there and is_known then
      count_tally(owed.tally)
    end
  end
  local is_ended = false
  for _, asked in ipairs(plan.cancel) do
    is_ended = cancel(asked.id, asked.reason, plan.cancelled_until) or is_ended
  end
  if job.looks and (is_ended or not is_active(plan.job_id)) then
    look_now(plan.job_id, plan.text, job, now, job.version)
    is_news = true
  end
  return fences
end

-- Whether all are for different jobs, each of the version that was seen.
local function are_current(plans)
  local seen = {}
  for _, plan in ipairs(plans) do
    local stored = version_of(field_of(jobs, plan.job_id))
    if seen[plan.job_id] or stored ~= plan.seen then return false end
    seen[plan.job_id] = true
  end
  return true
end

local is_whole, plans, verdicts, job_ids_asked = arg() == '1', {}, {}, {}
for place = 1, tonumber(arg()) do
  plans[place] = read_plan()
  job_ids_asked[place] = plans[place].job_id
end
read_fields(jobs, job_ids_asked)
look_for_runs(plans)
local may_apply = not is_whole or are_current(plans)
for place, plan in ipairs(plans) do
  local old_text = field_of(jobs, plan.job_id)
  if may_apply and version_of(old_text) == plan.seen then
    verdicts[place] = table.concat(apply(plan, old_text), ',')
  else
    verdicts[place] = 's'
  end
end
keep_fence()
write_later()
if is_news then
  redis.call('PUBLISH', hints, caller)
end
return tell(table.concat(verdicts, ';'))
