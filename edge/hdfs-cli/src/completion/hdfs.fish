# Completion of hdfs and hadoop for fish: hdfs completion fish | source
function __hdfs_candidates
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    for line in (command $words[1] completion candidates $words (string unescape -- $current) 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path $current
            case :directories
                __fish_complete_directories $current ''
            case '*'
                echo $line
        end
    end
end
complete --command hdfs --no-files --arguments '(__hdfs_candidates)'
complete --command hadoop --no-files --arguments '(__hdfs_candidates)'
